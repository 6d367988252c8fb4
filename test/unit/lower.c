/* SPDX-License-Identifier: MIT
 *
 * Lowering: what each instruction becomes, given what a proof says about it.
 */
#include "test.h"

#include "unit/bare.h"

static const char *op_of(const struct bare *b, u32 i)
{
	return i < b->code->ninsns ? code_op_name(b->code->insns[i].op) : "end";
}

static void lower_ok(struct bare *b, const struct link *link)
{
	if (bare_lower(b, link))
		test_fail(__FILE__, __LINE__, "%s", b->log.error);
}

TEST(lower_drops_dead_code_and_folds_branches)
{
	struct bare b;

	bare_make(&b, "if r1 == 0 goto zero\nr0 = 1\nexit\nzero: r0 = 2\nexit");
	b.proof->at[0].branch = 1;
	b.proof->at[1].reached = b.proof->at[2].reached = false;
	lower_ok(&b, NULL);
	CHECK_EQ(b.code->ninsns, 2);
	CHECK_EQ(b.code->origin[0], 3);
	CHECK_EQ(bare_run(&b, 5, 0), 2);
	bare_free(&b);

	bare_make(&b, "if r1 == 0 goto zero\nr0 = 1\nexit\nzero: r0 = 2\nexit");
	b.proof->at[0].branch = 0;
	b.proof->at[3].reached = b.proof->at[4].reached = false;
	lower_ok(&b, NULL);
	CHECK_EQ(b.code->ninsns, 2);
	CHECK_EQ(bare_run(&b, 0, 0), 1);
	bare_free(&b);
}

TEST(lower_aims_jumps_over_what_is_gone)
{
	struct bare b;

	bare_make(&b, "r0 = 0x100000000 ll\nr6 = 2\nagain: r0 += 1\nr7 = 0\nr6 -= 1\n"
		      "if r6 != 0 goto again\nexit");
	b.proof->at[4].reached = false; /* r7 = 0 */
	lower_ok(&b, NULL);
	CHECK_EQ(b.code->ninsns, 6);
	CHECK_EQ(bare_run(&b, 0, 0), 0x100000002);
	bare_free(&b);
}

TEST(lower_removes_jumps_to_the_next_instruction)
{
	struct bare b;

	bare_make(&b, "goto +1\nr0 = 1\nr0 = 2\nexit");
	b.proof->at[1].reached = false;
	lower_ok(&b, NULL);
	CHECK_EQ(b.code->ninsns, 2);
	bare_free(&b);
}

TEST(lower_refuses_deep_calls_and_recursion)
{
	struct bare b;

	bare_make(&b, "call f\nexit\nf: call f\nexit");
	CHECK_EQ(bare_lower(&b, NULL), -EINVAL);
	CHECK_HAS(b.log.error, "deeper than 8");
	bare_free(&b);
	bare_make(&b, "call a\nexit\na: call b\nexit\nb: call c\nexit\nc: call d\nexit\n"
		      "d: call e\nexit\ne: call f\nexit\nf: call g\nexit\ng: call h\nexit\n"
		      "h: r0 = 0\nexit");
	CHECK_EQ(bare_lower(&b, NULL), -EINVAL);
	bare_free(&b);
}

TEST(lower_stack_is_the_deepest_chain)
{
	struct bare b;

	bare_make(&b, "call f\ncall g\nexit\nf: call g\nexit\ng: r0 = 0\nexit");
	b.proof->stack_depth[0] = 8;
	b.proof->stack_depth[1] = 100;
	b.proof->stack_depth[2] = 40;
	lower_ok(&b, NULL);
	CHECK_EQ(b.code->stack_size, 16 + 112 + 48);
	bare_free(&b);
}

/* --- context --- */

struct ctx { /* as the host has it */
	u64 data;
	u16 narrow;
	u64 wide;
	u32 same;
};

static const struct abi_ctx_field packet = {"data", 0, 4, offsetof(struct ctx, data), 8,
					    CTX_PACKET};
static const struct abi_ctx_field narrow = {"narrow", 4, 4, offsetof(struct ctx, narrow), 2,
					    CTX_SCALAR, 7, 4};
static const struct abi_ctx_field wide = {"wide", 8, 4, offsetof(struct ctx, wide), 8,
					  CTX_SCALAR, 7, 4};
static const struct abi_ctx_field same = {"same", 12, 4, offsetof(struct ctx, same), 4,
					  CTX_SCALAR, 7, 4};

/* Runs @text, whose first instruction accesses @field, on *@ctx. */
static u64 with_ctx(const char *text, const struct abi_ctx_field *field, struct ctx *ctx)
{
	struct bare b;
	u64 result;

	bare_make(&b, text);
	b.proof->at[0].access = ACCESS_CTX;
	b.proof->at[0].ctx_field = field;
	lower_ok(&b, NULL);
	result = bare_run(&b, (u64)(uintptr_t)ctx, 0xa1a2a3a4a5a6a7a8);
	bare_free(&b);
	return result;
}

TEST(lower_context_loads)
{
	struct ctx c = {.data = 0x123456789abc, .narrow = 0xfedc, .wide = 0x1122334455667788,
			.same = 0x90807060};

	CHECK_EQ(with_ctx("r0 = *(u32 *)(r1 +0)\nexit", &packet, &c), 0x123456789abc);
	CHECK_EQ(with_ctx("r0 = *(u32 *)(r1 +4)\nexit", &narrow, &c), 0xfedc);
	CHECK_EQ(with_ctx("r0 = *(u8 *)(r1 +5)\nexit", &narrow, &c), 0xfe);
	CHECK_EQ(with_ctx("r0 = *(u16 *)(r1 +6)\nexit", &narrow, &c), 0);
	CHECK_EQ(with_ctx("r0 = *(s32 *)(r1 +4)\nexit", &narrow, &c), 0xfedc);
	CHECK_EQ(with_ctx("r0 = *(u32 *)(r1 +8)\nexit", &wide, &c), 0x55667788);
	CHECK_EQ(with_ctx("r0 = *(u16 *)(r1 +10)\nexit", &wide, &c), 0x5566);
	CHECK_EQ(with_ctx("r0 = *(u32 *)(r1 +12)\nexit", &same, &c), 0x90807060);
	CHECK_EQ(with_ctx("r0 = *(s32 *)(r1 +12)\nexit", &same, &c), 0xffffffff90807060);
	CHECK_EQ(with_ctx("r0 = *(u8 *)(r1 +15)\nexit", &same, &c), 0x90);
}

TEST(lower_context_stores)
{
	struct ctx c = {.wide = ~0ull};

	with_ctx("*(u32 *)(r1 +12) = r2\nr0 = 0\nexit", &same, &c);
	CHECK_EQ(c.same, 0xa5a6a7a8);
	with_ctx("*(u32 *)(r1 +4) = r2\nr0 = 0\nexit", &narrow, &c);
	CHECK_EQ(c.narrow, 0xa7a8);
	with_ctx("*(u32 *)(r1 +8) = r2\nr0 = 0\nexit", &wide, &c);
	CHECK_EQ(c.wide, 0xa5a6a7a8);
	with_ctx("*(u32 *)(r1 +8) = -1\nr0 = 0\nexit", &wide, &c);
	CHECK_EQ(c.wide, 0xffffffff);
	with_ctx("*(u32 *)(r1 +4) = 7\nr0 = 0\nexit", &narrow, &c);
	CHECK_EQ(c.narrow, 7);
	CHECK_EQ(c.data, 0);
	CHECK_EQ(c.same, 0xa5a6a7a8);
}

/* --- fields, faults, immediates, calls --- */

TEST(lower_pointer_fields)
{
	struct bare b;
	u64 slot = 5;

	bare_make(&b, "r0 = *(u64 *)(r1 +0)\n*(u64 *)(r1 +0) = 0\nexit");
	b.proof->at[0].access = ACCESS_SLOT_LOAD;
	b.proof->at[1].access = ACCESS_SLOT_STORE;
	lower_ok(&b, NULL);
	CHECK_STR(op_of(&b, 0), "LOAD_ACQ64");
	CHECK_STR(op_of(&b, 2), "STORE_REL64");
	CHECK_EQ(bare_run(&b, (u64)(uintptr_t)&slot, 0), 5);
	CHECK_EQ(slot, 0);
	bare_free(&b);
	bare_make(&b, "call bpf_kptr_xchg#194\nexit");
	lower_ok(&b, NULL);
	CHECK_EQ(bare_run(&b, (u64)(uintptr_t)&slot, 9), 0);
	CHECK_EQ(bare_run(&b, (u64)(uintptr_t)&slot, 8), 9);
	CHECK_EQ(slot, 8);
	bare_free(&b);
}

TEST(lower_fault_safe_loads)
{
	static const char *const texts[] = {
		"r0 = *(u8 *)(r1 +8)\nexit", "r0 = *(u16 *)(r1 +8)\nexit",
		"r0 = *(u32 *)(r1 +8)\nexit", "r0 = *(u64 *)(r1 +8)\nexit",
		"r0 = *(s8 *)(r1 +8)\nexit", "r0 = *(s16 *)(r1 +8)\nexit",
		"r0 = *(s32 *)(r1 +8)\nexit", "r0 = load_acquire((u32 *)(r1 +8))\nexit",
	};
	static const u64 want[] = {0x88, 0x8788, 0x85868788, 0x8182838485868788,
				   0xffffffffffffff88, 0xffffffffffff8788,
				   0xffffffff85868788, 0x85868788};
	u64 mem[2] = {0, 0x8182838485868788};

	for (u32 i = 0; i < ARRAY_SIZE(texts); i++) {
		struct bare b;

		bare_make(&b, texts[i]);
		b.proof->at[0].access = ACCESS_FAULT_SAFE;
		lower_ok(&b, NULL);
		CHECK_EQ(bare_run(&b, (u64)(uintptr_t)mem, 0), want[i]);
		CHECK_EQ(bare_run(&b, 0, 0), 0);
		CHECK_EQ(bare_run(&b, 0x7ffffffff000, 0), 0);
		CHECK_EQ(bare_run(&b, 0xdead000000000000, 0), 0);
		CHECK_EQ(slot_get(&b.host)->faults, 3);
		bare_free(&b);
	}
}

static void *a_map(void *data, u32 index)
{
	return index == 2 ? data : NULL;
}

TEST(lower_immediates)
{
	struct link link = {.data = &link, .map = a_map, .map_value = a_map};
	struct bare b;

	bare_make(&b, "r0 = map[id:2]\nexit");
	lower_ok(&b, &link);
	CHECK_EQ(bare_run(&b, 0, 0), (uintptr_t)&link);
	bare_free(&b);
	bare_make(&b, "r0 = map[id:2][0]+8\nexit");
	lower_ok(&b, &link);
	CHECK_EQ(bare_run(&b, 0, 0), (uintptr_t)&link + 8);
	bare_free(&b);
	bare_make(&b, "r0 = map[id:3]\nexit");
	CHECK_EQ(bare_lower(&b, &link), -ENOENT);
	CHECK_HAS(b.log.error, "map 3 is not there");
	bare_free(&b);
}

static u64 sum(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	return a + b + c + d + e;
}

/* A helper that calls what r1 says with r2. */
static u64 apply(u64 fn, u64 x, u64 c, u64 d, u64 e)
{
	return interp_callback((const void *)(uintptr_t)fn, x, 10, 0, 0, 0) + 1;
}

static void *a_helper(void *data, const struct abi_prog_type *type, u32 id)
{
	if (id == 1)
		return (void *)sum;
	return id == 2 ? (void *)apply : NULL;
}

TEST(lower_helpers_and_callbacks)
{
	struct link link = {.helper = a_helper};
	struct bare b;

	bare_make(&b, "r3 = 3\nr4 = 4\nr5 = 5\ncall 1\nexit");
	lower_ok(&b, &link);
	CHECK_EQ(bare_run(&b, 1, 2), 15);
	bare_free(&b);
	bare_make(&b, "r1 = subprog[+5]\nr6 = 1\ncall 2\nr0 += r6\nexit\n"
		      "*(u64 *)(r10 -8) = r1\nr6 = 77\nr0 = *(u64 *)(r10 -8)\nr0 *= r2\nexit");
	lower_ok(&b, &link);
	CHECK_EQ(bare_run(&b, 0, 4), 42);
	bare_free(&b);
	bare_make(&b, "call bpf_redirect#23\nexit");
	CHECK_EQ(bare_lower(&b, &link), -ENOENT);
	CHECK_HAS(b.log.error, "bpf_redirect#23");
	bare_free(&b);
}

static const struct code *tail_target;

static const struct code *tail(void *table, u64 index)
{
	return table == &tail_target && index == 1 ? tail_target : NULL;
}

static void *tail_helper(void *data, const struct abi_prog_type *type, u32 id)
{
	return id == 12 ? (void *)tail : NULL;
}

TEST(lower_tail_calls)
{
	struct link link = {.helper = tail_helper};
	struct bare b, target;

	bare_make(&target, "r0 = r1\nr0 += 1000\nexit");
	lower_ok(&target, NULL);
	tail_target = target.code;
	/* the index comes in r1 and is the context of the target, too */
	bare_make(&b, "r3 = r1\ncall f\nr0 += 1\nexit\nf: call 12\nr0 = 7\nexit");
	lower_ok(&b, &link);
	CHECK_EQ(bare_run(&b, 1, (u64)(uintptr_t)&tail_target), 1002);
	CHECK_EQ(bare_run(&b, 2, (u64)(uintptr_t)&tail_target), 8);
	bare_free(&b);
	/* a program that calls itself ends after 33 */
	bare_make(&b, "r3 = 1\ncall 12\nr0 = 7\nexit");
	lower_ok(&b, &link);
	tail_target = b.code;
	CHECK_EQ(bare_run(&b, 1, (u64)(uintptr_t)&tail_target), 7);
	bare_free(&b);
	bare_free(&target);
}

TEST(lower_refuses_what_cannot_run)
{
	struct bare b;

	bare_make(&b, "r0 = *(u32 *)skb[4]\nexit");
	CHECK_EQ(bare_lower(&b, NULL), -ENOTSUP);
	bare_free(&b);
	bare_make(&b, "call kfunc#0\nexit");
	CHECK_EQ(bare_lower(&b, NULL), -EINVAL);
	bare_free(&b);
}
