/* SPDX-License-Identifier: MIT
 *
 * Each allocation of opening, of records and of printing fails once: -ENOMEM or NULL, and
 * nothing is left behind.
 */
#include "base/arena.h"
#include "btf/record.h"
#include "test.h"
#include "unit/btf_build.h"
#include "unit/fail_alloc.h"

/* struct node { struct bpf_list_node n; }; struct conn { int fd; ... }
 * struct value { struct bpf_spin_lock l; struct bpf_list_head h; struct conn __kptr *c[9]; } */
static u32 build(struct bb *b)
{
	u32 i32, u64_, lock, head, node, conn, value;

	bb_init(b, NULL);
	i32 = bb_int(b, "int", 4);
	u64_ = bb_int(b, "u64", 8);
	lock = bb_struct(b, "bpf_spin_lock", 4, {"v", i32, 0});
	head = bb_struct(b, "bpf_list_head", 16, {"a", u64_, 0}, {"b", u64_, 64});
	node = bb_struct(b, "bpf_list_node", 24, {"a", u64_, 0});
	bb_struct(b, "node", 24, {"n", node, 0});
	conn = bb_struct(b, "conn", 8, {"fd", i32, 0}, {"flags", bb_array(b, i32, 1), 32});
	value = bb_struct(b, "value", 96, {"l", lock, 0}, {"h", head, 64},
			  {"c", bb_array(b, bb_tagged_ptr(b, "kptr", conn), 9), 192});
	bb_decl_tag(b, "contains:node:n", value, 1);
	return value;
}

TEST(btf_open_without_memory)
{
	struct btf *btf = NULL;
	bool failed = true;
	s64 blocks;
	struct bb b;
	u8 *odd;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	build(&b);
	bb_blob(&b);
	odd = malloc(b.size + 1);
	memcpy(odd + 1, b.blob, b.size);
	for (u32 n = 1; failed; n++) {
		int err;

		CHECK(n < 30);
		blocks = fail_alloc_blocks();
		fail_alloc_at(n);
		err = btf_open(NULL, "x", odd + 1, b.size, NULL, &btf);
		failed = fail_alloc_off();
		CHECK_EQ(err, failed ? -ENOMEM : 0);
		CHECK(failed == !btf);
		if (failed)
			CHECK_EQ(fail_alloc_blocks(), blocks);
	}
	btf_close(btf);
	free(odd);
	bb_free(&b);
}

/* One round in a new arena, of which allocation @n fails; whether one did. */
static bool record_round(const struct btf *btf, u32 value, u32 n)
{
	struct record_opts opts = {.lenient = true}; /* all local */
	struct arena *arena = arena_new();
	struct record *rec;
	bool failed;
	int err;

	fail_alloc_at(n);
	err = record_parse(arena, NULL, "m", btf, value, &opts, &rec);
	failed = fail_alloc_off();
	CHECK_EQ(err, failed ? -ENOMEM : 0);
	CHECK(failed == !rec);
	arena_free(arena);
	return failed;
}

TEST(record_without_memory)
{
	struct btf *btf;
	struct bb b;
	s64 blocks;
	u32 value;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	value = build(&b);
	btf = bb_open(&b, "prog");
	blocks = fail_alloc_blocks();
	for (u32 n = 1; record_round(btf, value, n); n++)
		CHECK(n < 200);
	CHECK_EQ(fail_alloc_blocks(), blocks);
	btf_close(btf);
	bb_free(&b);
}

static bool print_round(const struct btf *btf, u32 n)
{
	struct arena *arena = arena_new();
	const char *text;
	bool failed;

	fail_alloc_at(n);
	text = btf_decl(arena, btf, btf_find(btf, "value", BTF_STRUCT), "v", true);
	failed = fail_alloc_off();
	CHECK(failed || strstr(text, "struct conn __kptr *c[9];"));
	arena_free(arena);
	return failed;
}

TEST(btf_prints_without_memory)
{
	struct btf *btf;
	struct bb b;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	build(&b);
	btf = bb_open(&b, "prog");
	for (u32 n = 1; print_round(btf, n); n++)
		CHECK(n < 200);
	btf_close(btf);
	bb_free(&b);
}
