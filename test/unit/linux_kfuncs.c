/* SPDX-License-Identifier: MIT
 *
 * Tables of kfuncs in text: what is not understood is named by file and line.
 */
#include "abi/linux/linux.h"
#include "test.h"
#include "unit/btf_build.h"

#define HEADER "name\tKF_flags\tregistered_for_prog_types\tnote\n"

/* A kernel with one struct and two functions. */
struct kernel {
	char table[1024]; /* the contract's names point into it */
	struct bb bb;
	struct btf *btf;
	struct linux_data data;
	struct abi abi;
	struct log log;
};

static void kernel_init(struct kernel *k)
{
	u32 thing, proto;

	*k = (struct kernel){.abi.data = &k->data};
	bb_init(&k->bb, NULL);
	thing = bb_struct(&k->bb, "thing", 8, {"a", bb_int(&k->bb, "long", 8), 0});
	proto = bb_proto(&k->bb, 0, {"t", bb_ptr(&k->bb, thing)});
	bb_func(&k->bb, "thing_put", proto);
	bb_func(&k->bb, "thing_use", proto);
	k->btf = bb_open(&k->bb, "kernel");
	CHECK(vec_push(&k->abi.btfs, k->btf));
}

static void kernel_free(struct kernel *k)
{
	strmap_free(&k->data.fmod_ret);
	abi_free(&k->abi);
	log_free(&k->log);
	btf_close(k->btf);
	bb_free(&k->bb);
}

/* 0, or -EINVAL with @words in the log. */
static int read_table(struct kernel *k, const char *text, const char *words)
{
	int err;

	snprintf(k->table, sizeof(k->table), "%s", text);
	err = linux_kfuncs_tsv(&k->log, &k->abi, "t.tsv", k->table);
	if (words && !strstr(k->log.error, words)) {
		printf("wanted '%s', got '%s'\n", words, k->log.error);
		return 1;
	}
	return err;
}

TEST(linux_kfuncs_of_a_table)
{
	struct kernel k;
	const struct abi_kfunc *put;

	kernel_init(&k);
	CHECK_EQ(read_table(&k, HEADER
			    "# a remark\n"
			    "thing_put\tKF_RELEASE | KF_SLEEPABLE\tSCHED_CLS,XDP\tdtor of struct thing\n"
			    "thing_use\t-\tUNSPEC\n"
			    "not_there\tKF_ACQUIRE\tXDP\t\r\n"
			    "made_to_fail\tKF_SLEEPABLE\t(fmod_ret targets)\t\n"
			    "ops\t(struct_ops)\tSTRUCT_OPS\n", NULL), 0);
	CHECK_EQ(k.abi.kfuncs.n, 2);
	put = abi_find_kfunc(&k.abi, "thing_put");
	CHECK(put != NULL);
	CHECK_EQ(put->flags, KF_RELEASE | KF_SLEEPABLE);
	CHECK_EQ(put->prog_types, BIT64(LINUX_SCHED_CLS) | BIT64(LINUX_XDP));
	CHECK_EQ(abi_find_kfunc(&k.abi, "thing_use")->prog_types, ~0ull);
	CHECK_EQ(k.abi.storables.n, 1);
	CHECK(k.abi.storables.v[0].dtor);
	CHECK_EQ(k.data.fmod_ret.n, 1);
	kernel_free(&k);
}

TEST(linux_kfuncs_twice_are_one)
{
	struct kernel k;

	kernel_init(&k);
	CHECK_EQ(read_table(&k, HEADER "thing_use\tKF_RCU\tTRACING\nthing_use\t-\tXDP\n", NULL),
		 0);
	CHECK_EQ(k.abi.kfuncs.n, 1);
	CHECK_EQ(k.abi.kfuncs.v[0].flags, KF_RCU);
	CHECK(k.abi.kfuncs.v[0].prog_types & BIT64(LINUX_XDP));
	CHECK(k.abi.kfuncs.v[0].prog_types & BIT64(LINUX_LSM)); /* they share a hook */
	kernel_free(&k);
}

TEST(linux_kfuncs_malformed_lines_are_named)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "t.tsv:1: the header has no column 'name'"},
		{"name\tflags\n", "t.tsv:1: the header has no column 'KF_flags'"},
		{HEADER "f\tKF_RELEASE | KF_MAGIC\tXDP\n", "t.tsv:2: unknown flag 'KF_MAGIC'"},
		{HEADER "f\t-\tXDP\ng\t-\tXDP,SPACE\n", "t.tsv:3: unknown program type 'SPACE'"},
		{HEADER "f\t-\n", "t.tsv:2: no value in column 'registered_for_prog_types'"},
		{HEADER "f\t-\t,\n", "t.tsv:2: no program type for 'f'"},
		{HEADER "\t-\tXDP\n", "t.tsv:2: no value in column 'name'"},
	};
	struct kernel k;

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		kernel_init(&k);
		CHECK_EQ(read_table(&k, cases[i].text, cases[i].words), -EINVAL);
		kernel_free(&k);
	}
}
