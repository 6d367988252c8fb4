/* SPDX-License-Identifier: MIT
 *
 * verdicts.c: verifies every program of every object of test/verdict, runs those that say
 * what they return, and compares with the expectation beside the source (verdict.h).
 */
#include "abi/linux/linux.h"
#include "fixture/host.h"
#include "run/expect.h"
#include "run/run.h"
#include "test.h"

#include <dirent.h>
#include <stdarg.h>

struct counts {
	int programs, bad;
	FILE *book; /* results by case of the rule book, for tools/rulebook */
};

struct where {
	struct counts *counts;
	struct pintle_host *host;
	const char *object, *prog;
	struct expectation e;
	bool bad;
};

static void complain(struct where *w, const char *fmt, ...) FORMAT(2, 3);
static void complain(struct where *w, const char *fmt, ...)
{
	va_list args;

	w->bad = true;
	w->counts->bad++;
	printf("%s: %s %s: ", w->object, w->prog, w->e.nbooks ? w->e.books[0] : "");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

/* One line for each case that the program is; then the next check begins. */
static void record(struct where *w, const char *policy, const char *verdict)
{
	for (u32 i = 0; w->counts->book && i < w->e.nbooks; i++)
		fprintf(w->counts->book, "%s\t%s\t%s%s%s\t%s\t%s\n", w->e.books[i],
			w->bad ? "FAIL" : "pass", verdict, *policy ? " under " : "", policy,
			w->object, w->prog);
	w->bad = false;
}

/* ------------------------------------------------------------------ policies */

static const struct policy {
	const char *name;
	const struct abi_policy *policy;
	enum tag_era tags;
} policies[] = {
	{"kernel", &linux_policy},
	{"tags519", &(const struct abi_policy){.tags = TAGS_519}, TAGS_519},
	{"seed", &(const struct abi_policy){.tags = TAGS_V1}, TAGS_V1},
	{"max11", &(const struct abi_policy){.max_fields = 11}},
	{"nolocal", &(const struct abi_policy){.no_local_types = true}},
	{"nest519", &(const struct abi_policy){.nest_519 = true, .lenient_decl = true}},
	{"ldx", &(const struct abi_policy){.ldx_untrusted = true}},
	{"percpu612", &(const struct abi_policy){.percpu_612 = true}},
	{"nouser", &(const struct abi_policy){.kinds_off = BIT(FIELD_USER)}},
	{"depth2", &(const struct abi_policy){.own_depth = 2}},
};

static const struct policy *find_policy(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(policies); i++)
		if (!strcmp(policies[i].name, name))
			return &policies[i];
	return NULL;
}

/* The host's policy is @c's afterwards; the caller puts the old one back. */
static struct pintle_object *open_under(struct where *w, const char *path,
					const struct policy_case *c)
{
	struct pintle_open_opts opts = {.size = sizeof(opts)};
	const struct policy *policy = find_policy(c->policy);

	if (!policy) {
		complain(w, "there is no policy '%s'", c->policy);
		return NULL;
	}
	opts.tags = (enum pintle_tags)policy->tags;
	w->host->abi.policy = *policy->policy;
	return pintle_open(w->host, path, &opts);
}

static void check_prog_under(struct where *w, const char *path, const struct policy_case *c)
{
	struct abi_policy before = w->host->abi.policy;
	struct pintle_object *obj = open_under(w, path, c);
	const struct image_prog *prog = obj ? image_find_prog(obj->image, w->prog) : NULL;
	char words[600];

	if (!prog)
		complain(w, "does not open under %s: %s", c->policy, pintle_host_error(w->host));
	else if (prog && !expect_policy(c, obj->image, prog, words, sizeof(words)))
		complain(w, "under %s: %s", c->policy, words);
	w->host->abi.policy = before;
	record(w, c->policy, c->accept ? "accept" : "reject");
	pintle_close(obj);
}

static void check_object_under(struct where *w, const char *path, const struct policy_case *c)
{
	struct abi_policy before = w->host->abi.policy;
	struct pintle_object *obj = open_under(w, path, c);
	const char *error = pintle_host_error(w->host);

	if (c->accept && !obj)
		complain(w, "refused under %s: %s", c->policy, error);
	if (!c->accept && obj)
		complain(w, "OPENED under %s", c->policy);
	if (!c->accept && !obj && !strstr(error, c->phrase))
		complain(w, "under %s: no \"%s\" in: %s", c->policy, c->phrase, error);
	w->host->abi.policy = before;
	record(w, c->policy, c->accept ? "accept" : "reject");
	pintle_close(obj);
}

/* ------------------------------------------------------------------ verdicts */

static void check_verdict(struct where *w, const struct image *image,
			  const struct image_prog *prog)
{
	char words[600];

	if (!expect_verdict(&w->e, image, prog, words, sizeof(words)))
		complain(w, "%s", words);
}

/* ------------------------------------------------------------------ runs */

static char packet[64];

static int run_hook(struct pintle_prog *prog, bool sleepable, s64 *result)
{
	int err = pintle_prog_attach(prog);

	if (err)
		return err;
	*result = sleepable ? test_hook_q(hook_t, 1) : test_hook_p(hook_t, 1);
	pintle_prog_detach(prog);
	return 0;
}

static int run_ctx(struct pintle_prog *prog, s64 *result)
{
	struct test_xdp xdp = {packet, packet + sizeof(packet), packet, 0, 0};
	struct test_ctx_real real = {packet, packet + sizeof(packet), 1, 0, hook_t, NULL};
	bool is_xdp = !strcmp(pintle_prog_section(prog), "xdp");
	u64 value = 0;
	int err = pintle_prog_run(prog, is_xdp ? (void *)&xdp : &real, &value);

	*result = (s32)value;
	return err;
}

static void check_run(struct where *w, struct pintle_object *obj)
{
	struct pintle_load_opts opts = {.size = sizeof(opts), .only = w->prog};
	struct pintle_prog *prog = pintle_prog_find(obj, w->prog);
	const char *section = prog ? pintle_prog_section(prog) : "";
	s64 result = 0;
	int err = pintle_load_with(obj, &opts);

	if (!err && !strncmp(section, "hook", 4))
		err = run_hook(prog, !strncmp(section, "hook.s", 6), &result);
	else if (!err)
		err = run_ctx(prog, &result);
	if (err)
		complain(w, "does not run: %s", pintle_host_error(w->host));
	else if (result != w->e.retval)
		complain(w, "returned %lld, want %lld", (long long)result,
			 (long long)w->e.retval);
}

/* Each run is of a fresh object: what one program leaves in a map is not another's. */
static void check_fresh_run(struct where *w, const char *path, enum pintle_jit jit)
{
	struct pintle_object *obj = pintle_open(w->host, path, NULL);

	w->host->opts.jit = jit;
	memset(packet, 0, sizeof(packet));
	if (obj)
		check_run(w, obj);
	else
		complain(w, "does not open again: %s", pintle_host_error(w->host));
	pintle_close(obj);
	w->host->opts.jit = PINTLE_JIT_AUTO;
}

/* ------------------------------------------------------------------ objects */

/* What is said of the object itself, beside variable @name; false: nothing. */
static bool object_expectation(const char *path, const char *name, struct expectation *e)
{
	struct log log = {0};
	struct btf *btf = NULL;
	u32 id = 0;

	if (!btf_open_file(&log, path, NULL, &btf)) {
		id = btf_find(btf, name, BTF_VAR);
		if (id)
			*e = expectation_of(btf, id);
	}
	btf_close(btf);
	log_free(&log);
	return id;
}

static void check_refused_object(struct where *w, const char *path)
{
	struct pintle_object *obj = pintle_open(w->host, path, NULL);

	w->counts->programs++;
	if (obj && !pintle_load(obj))
		complain(w, "LOADED, want \"%s\"", w->e.phrase);
	else if (!strstr(pintle_host_error(w->host), w->e.phrase))
		complain(w, "no \"%s\" in: %s", w->e.phrase, pintle_host_error(w->host));
	record(w, "", "reject");
	pintle_close(obj);
}

static void check_program(struct where *w, const char *path, const struct image *image,
			  const struct image_prog *prog)
{
	w->prog = prog->name;
	w->e = expectation_of(image->btf, prog->subprogs[0].func);
	w->counts->programs++;
	if (w->e.accept == w->e.reject)
		complain(w, "needs ACCEPT or REJECT");
	else
		check_verdict(w, image, prog);
	for (int jit = PINTLE_JIT_AUTO; w->e.run && jit <= PINTLE_JIT_OFF; jit++)
		check_fresh_run(w, path, (enum pintle_jit)jit);
	record(w, "", w->e.accept ? "accept" : "reject");
	for (u32 i = 0; i < w->e.npolicies; i++)
		check_prog_under(w, path, &w->e.policies[i]);
}

static void check_programs(struct where *w, const char *path)
{
	struct pintle_object *obj = pintle_open(w->host, path, NULL);

	if (!obj)
		complain(w, "does not open: %s", pintle_host_error(w->host));
	record(w, "", "accept");
	for (u32 i = 0; obj && i < obj->image->nprogs; i++)
		check_program(w, path, obj->image, &obj->image->progs[i]);
	pintle_close(obj);
}

static void check_object(struct counts *c, struct pintle_host *host, const char *name)
{
	struct where w = {.counts = c, .host = host, .object = name, .prog = "object"};
	struct expectation e = {0};
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", test_object("verdict"), name);
	if (object_expectation(path, "object_reject", &w.e)) {
		check_refused_object(&w, path);
		e = w.e;
	} else {
		if (object_expectation(path, "object_accept", &w.e))
			e = w.e;
		check_programs(&w, path);
		w.prog = "object";
		w.e = e;
	}
	for (u32 i = 0; i < e.npolicies; i++)
		check_object_under(&w, path, &e.policies[i]);
}

static int is_object(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 6 && !strcmp(d->d_name + len - 6, ".bpf.o");
}

/* What registration would refuse, for rules that only this can break. */
static void add_flag(struct pintle_host *host, const char *name, u32 flag)
{
	const struct abi_kfunc *kfunc = abi_find_kfunc(&host->abi, name);

	CHECK(kfunc != NULL);
	host->abi.kfuncs.v[kfunc - host->abi.kfuncs.v].flags |= flag;
}

/* Variables, which hosts cannot register yet; nothing here is run. */
static void add_var(struct pintle_host *host, const char *name, u32 type, bool percpu)
{
	struct abi_var var = {.name = name, .btf = host->abi.btfs.v[0], .type = type,
			      .percpu = percpu};

	CHECK(strmap_set(&host->abi.var_names, name, host->abi.vars.n));
	CHECK(vec_push(&host->abi.vars, var));
}

/* Helpers that the rules below need, whether the engine has them or not: nothing that calls
 * them is run. */
static bool any_helper(const struct abi *abi, const struct abi_prog_type *type, u32 id)
{
	static const u32 more[] = {12, 112, 114, 148, 153, 154, 156};

	for (u32 i = 0; i < ARRAY_SIZE(more); i++)
		if (id == more[i])
			return true;
	return helper_find(abi->data, type, id);
}

static void break_contract(struct pintle_host *host)
{
	const struct btf *btf = host->abi.btfs.v[0];

	add_flag(host, "t_merge", KF_RELEASE);
	add_flag(host, "t_seen", KF_RCU_PROTECTED);
	add_flag(host, "m_first", KF_ACQUIRE);
	add_flag(host, "t_kget_one", KF_KPTR_GET);
	add_flag(host, "bpf_iter_t_new", KF_ITER_NEW | KF_RCU_PROTECTED);
	add_flag(host, "bpf_iter_t_next", KF_ITER_NEXT | KF_RCU_PROTECTED);
	add_flag(host, "bpf_iter_t_destroy", KF_ITER_DESTROY);
	host->abi.policy.need_gpl = true;
	host->abi.helper_there = any_helper;
	add_var(host, "host_number", btf_find(btf, "int", BTF_INT), false);
	add_var(host, "host_thing", btf_find(btf, "T", BTF_STRUCT), false);
	add_var(host, "host_void", 0, false);
	add_var(host, "host_percpu", btf_find(btf, "X", BTF_STRUCT), true);
	add_var(host, "host_counter", btf_find(btf, "long int", BTF_INT) ?:
		btf_find(btf, "long", BTF_INT), true);
}

TEST(verdicts_of_annotated_programs)
{
	struct pintle_host *host = test_host_new();
	const char *book = getenv("PINTLE_RULEBOOK");
	struct counts c = {.book = book ? fopen(book, "w") : NULL};
	struct dirent **list;
	int n = scandir(test_object("verdict"), &list, is_object, alphasort);

	CHECK(n > 0);
	break_contract(host);
	for (int i = 0; i < n; i++) {
		check_object(&c, host, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	test_host_free(host);
	if (c.book)
		fclose(c.book);
	if (c.bad)
		test_fail(__FILE__, __LINE__, "%d of %d programs", c.bad, c.programs);
}
