/* SPDX-License-Identifier: MIT
 *
 * make_mem.c: accesses of memory: the stack, the program's own, pools, user pointers, an arena.
 */
#include "jit/make.h"
#include "run/memory/pools.h"

#include <sys/mman.h>

struct place {
	u32 base;
	s32 off;
	bool temp; /* the base is a number's register: set it again */
};

/* An address of @size bytes in the memory or the stack, with a base of any kind. */
static struct place place(struct gen *g, u32 size, bool aligned)
{
	bool stack = make_chance(g, 40);
	s32 at = stack ? -(s32)(size + make_below(g, STACK - size + 1))
		       : (s32)make_below(g, MEM_SIZE - size + 1) - MEM_SIZE / 2;
	struct place p = {stack ? R_FP : g->hold, at, false};
	s32 delta = 0;

	if (aligned || (g->plain && (stack || g->sub))) /* rounds down: to a larger distance */
		p.off = at = (s32)(at & -(s32)size) < (stack ? -STACK : -MEM_SIZE / 2)
				     ? -(s32)size : (s32)(at & -(s32)size);
	if (make_chance(g, 60))
		return p;
	p = (struct place){make_any_dst(g), at, true};
	make_emit_kept(g, OP_MOV64_REG, p.base, stack ? R_FP : g->hold, 0, 0);
	if (make_chance(g, 60)) {
		delta = make_chance(g, 70) ? (s32)make_below(g, 300) - 150 : (s32)make_below(g, 60000) - 30000;
		make_emit_kept(g, OP_ADD64_IMM, p.base, 0, 0, delta);
	}
	p.off = at - delta;
	return p;
}

static void done_with(struct gen *g, struct place p, u32 written)
{
	if (p.temp && p.base != written)
		make_set_number(g, p.base);
}

/* Verifiers want accesses aligned that order others. */
static bool must_align(const struct gen *g, u32 op)
{
	enum isa_kind kind = isa_info((enum isa_op)op)->kind;

	return g->plain && (kind == KIND_LOAD_ACQ || kind == KIND_STORE_REL);
}

void make_load(struct gen *g)
{
	u32 op = make_random_op(g, make_chance(g, 85) ? KIND_LDX : KIND_LOAD_ACQ);
	struct place p = place(g, isa_info((enum isa_op)op)->size, must_align(g, op));
	u32 dst = make_chance(g, 30) && p.temp ? p.base : make_any_dst(g);

	/* The base that is loaded over must be there in both runs. */
	make_emit_kept(g, op, dst, p.base, p.off, 0);
	if (make_chance(g, 40)) {
		static const u16 uses[] = {OP_ADD64_REG, OP_XOR32_REG, OP_AND64_REG, OP_SUB64_REG,
					   OP_OR32_REG, OP_ADD32_REG, OP_MUL64_REG};
		static const u16 swaps[] = {OP_BE16, OP_BE32, OP_BE64, OP_BSWAP32};

		if (make_chance(g, 60))
			make_emit(g, uses[make_below(g, ARRAY_SIZE(uses))], make_any_dst(g), dst, 0, 0);
		else
			make_emit(g, swaps[make_below(g, ARRAY_SIZE(swaps))], dst, 0, 0, 0);
		if (make_chance(g, 50))
			make_set_number(g, dst);
	}
	done_with(g, p, dst);
}

/* A row of words, which may overlap. */
void make_copy(struct gen *g)
{
	static const u16 loads[] = {OP_LDX8, OP_LDX16, OP_LDX32, OP_LDX64};
	static const u16 stores[] = {OP_STX8, OP_STX16, OP_STX32, OP_STX64};
	u32 log = make_below(g, 4), size = 1u << log, t = make_any_dst(g), s, i;
	u32 words = (40 + make_below(g, 140)) >> log;
	s32 from = (s32)make_below(g, MEM_SIZE - size * words) - MEM_SIZE / 2;
	s32 to = make_chance(g, 70) ? from + (s32)make_below(g, 81) - 40 : from, step = (s32)size;

	do
		s = make_any_dst(g);
	while (s == t);
	if (to < -MEM_SIZE / 2 || to + (s32)(size * words) > MEM_SIZE / 2)
		to = from;
	if (make_chance(g, 50))
		from += step * ((s32)words - 1), to += step * ((s32)words - 1), step = -step;
	make_emit_kept(g, OP_MOV64_REG, s, g->hold, 0, 0);
	for (i = 0; i < words; i++) {
		make_emit_kept(g, loads[log], t, s, from + (s32)i * step, 0);
		make_emit_kept(g, stores[log], g->hold, t, to + (s32)i * step, 0);
	}
	make_set_number(g, s);
	if (make_chance(g, 80))
		make_set_number(g, t);
}

/* A number of 2, 4 or 8 bytes, read byte by byte in some order, now and then not quite. */
void make_bytewise(struct gen *g)
{
	static const u16 swaps[] = {OP_BE16, OP_BE32, OP_BE64, OP_BSWAP16, OP_BSWAP32};
	u32 n = 2u << make_below(g, 3), acc = make_any_dst(g), temp = 0, turn = make_below(g, 8);
	s32 off = (s32)make_below(g, 120) - 64;
	bool wide = n == 8 || make_chance(g, 30), big = make_chance(g, 50), first = true;

	for (u32 i = 0; i < n; i++) {
		u32 k = (i * 5 + turn) % n, reg = first ? acc : (temp = make_any_dst(g));
		s32 at = off + (s32)(big ? n - 1 - k : k);

		if (reg == g->hold || (!first && reg == acc))
			continue;
		make_emit(g, OP_LDX8, reg, g->hold, make_chance(g, 98) ? at : off, 0);
		if (k || make_chance(g, 5))
			make_emit(g, wide ? OP_LSH64_IMM : OP_LSH32_IMM, reg, 0, 0,
			     make_chance(g, 98) ? 8 * k : make_below(g, 32));
		if (!first)
			make_emit(g, make_chance(g, 80) == wide ? OP_OR64_REG : OP_OR32_REG, acc, reg, 0, 0);
		if (!first && make_chance(g, 5))
			make_emit(g, OP_MOV64_REG, reg, acc, 0, 0);
		else if (!first && i + 1 == n && make_chance(g, 90))
			make_set_number(g, reg);
		first = false;
	}
	if (make_chance(g, 40))
		make_emit(g, swaps[make_below(g, ARRAY_SIZE(swaps))], acc, 0, 0, 0);
	for (u32 reg = R0; reg < R_FP; reg++)
		if (make_chance(g, 80) && reg != acc && reg != g->hold &&
		    !(g->reserved & BIT(reg)) && !(g->unset & BIT(reg)))
			make_set_number(g, reg);
}

/* A field in the order of the network. */
void make_network(struct gen *g)
{
	static const u16 loads[] = {OP_LDX16, OP_LDX32, OP_LDX64};
	static const u16 swaps[] = {OP_BE16, OP_BE32, OP_BE64, OP_BSWAP16, OP_BSWAP32, OP_BSWAP64};
	u32 reg = make_any_dst(g);

	make_emit(g, loads[make_below(g, 3)], reg, g->hold, (s32)make_below(g, 64), 0);
	make_emit(g, swaps[make_below(g, 6)], reg, 0, 0, 0);
}

void make_store(struct gen *g)
{
	static const u8 kinds[] = {KIND_ST, KIND_STX, KIND_STX, KIND_STORE_REL};
	u32 op = make_random_op(g, (enum isa_kind)kinds[make_below(g, ARRAY_SIZE(kinds))]);
	struct place p = place(g, isa_info((enum isa_op)op)->size, must_align(g, op));
	u32 src;

	do /* an address as a number would differ from run to run */
		src = make_any_src(g);
	while (p.temp && src == p.base);
	make_emit(g, op, p.base, src, p.off, (s32)make_number(g));
	done_with(g, p, NR_REGS);
}

void make_locked(struct gen *g)
{
	u32 op = make_random_op(g, KIND_ATOMIC), src;
	const struct isa_info *info = isa_info((enum isa_op)op);
	bool cmpxchg = info->sub == ATOMIC_CMPXCHG;
	struct place p = place(g, info->size, true);

	do
		src = make_any_dst(g);
	while (src == p.base);
	if (cmpxchg && (p.base == R0 || g->reserved & BIT(R0))) {
		done_with(g, p, NR_REGS);
		return;
	}
	if (cmpxchg && make_chance(g, 50)) /* one that succeeds */
		make_emit(g, info->size == 8 ? OP_LDX64 : OP_LDX32, R0, p.base, p.off, 0);
	make_emit(g, op, p.base, src, p.off, 0);
	done_with(g, p, NR_REGS);
}

void make_safe_load(struct gen *g)
{
	static const u64 bad[] = {0, 8, 65535, 0x10000, 0xdead000000000000,
				  0xffffffff81000000, 1ull << 63};
	u32 op = CODE_SAFE_LDX8 + make_below(g, 7), base = make_any_dst(g);
	u32 dst = make_chance(g, 30) ? base : make_any_dst(g);

	if (make_chance(g, 80)) {
		make_emit_kept(g, OP_MOV64_REG, base, g->hold, 0, 0);
		make_emit_kept(g, op, dst, base, (s32)make_below(g, MEM_SIZE - 8) - MEM_SIZE / 2, 0);
	} else {
		make_emit_kept(g, OP_LD_IMM64, base, 0, 0, (s64)bad[make_below(g, ARRAY_SIZE(bad))]);
		make_emit_kept(g, op, dst, base, (s32)make_below(g, 256), 0);
	}
	if (base != dst)
		make_set_number(g, base);
}

/* --- pools, user pointers --- */

_Alignas(64) u8 make_memory[MEM_SIZE]; /* of the program that runs */
static struct region pooled;		  /* its middle half */
static struct pool_set pool;

void make_pool_init(void)
{
	pooled.start = (uintptr_t)make_memory + MEM_SIZE / 4;
	pooled.end = pooled.start + MEM_SIZE / 2;
	atomic_store_explicit(&pool.regions, &pooled, memory_order_relaxed);
}

/* Whether an address somewhere around the memory is in the pool; as a number. */
void make_in_pool(struct gen *g)
{
	u32 reg = make_any_dst(g);

	make_emit_kept(g, OP_MOV64_REG, reg, g->hold, 0, 0);
	make_emit_kept(g, OP_ADD64_IMM, reg, 0, 0, (s32)make_below(g, MEM_SIZE) - MEM_SIZE / 2);
	make_emit_kept(g, CODE_IN_REGION, reg, 0, 1 << make_below(g, 4), (s64)(uintptr_t)&pool);
	make_emit_kept(g, OP_JEQ64_IMM, reg, 0, 1, 0);
	make_emit_kept(g, OP_MOV64_IMM, reg, 0, 0, (s32)make_number(g));
}

void make_store_user(struct gen *g)
{
	struct place p = place(g, 8, true);
	u32 src;

	do
		src = make_any_src(g);
	while (p.temp && src == p.base);
	make_emit(g, CODE_STORE_USER, p.base, src, p.off, 0);
	done_with(g, p, NR_REGS);
}

/* --- an arena --- */

/*
 * One page in the middle of nothing: accesses hit one of its edges, where some bytes of a
 * number may be there and others not, or any place of the 4 GB.
 */
u8 *make_arena; /* the window; NULL: not to be had */

void make_arena_init(void)
{
	size_t size = BIT64(32) + ARENA_AT;
	u8 *at;

	if (make_arena)
		return;
	at = mmap(NULL, size + ARENA_AT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		  -1, 0);
	if (at == MAP_FAILED)
		return;
	make_arena = at + ARENA_AT; /* offsets may be negative */
	if (mprotect(make_arena + ARENA_AT, ARENA_PAGE, PROT_READ | PROT_WRITE)) {
		munmap(at, size + ARENA_AT);
		make_arena = NULL;
	}
}

/* Puts an address in @reg, whose upper half means nothing; the offset from it. */
static s32 arena_place(struct gen *g, u32 reg, u32 size)
{
	s32 off = make_chance(g, 50) ? 0 : (s32)(s16)make_next(g);
	u32 at = ARENA_AT - 8 + make_below(g, ARENA_EDGE);

	if (make_chance(g, 50))
		at += ARENA_PAGE - ARENA_EDGE + 16;
	if (make_chance(g, 90))
		make_emit_kept(g, OP_LD_IMM64, reg, 0, 0,
			  (s64)((make_next(g) & ~(u64)UINT32_MAX) | ((at & -size) - (u32)off)));
	return off;
}

void make_in_arena(struct gen *g)
{
	u32 base = make_any_dst(g), reg = make_any_dst(g), log = make_below(g, 4), kind = make_below(g, 4), op;
	s32 off;

	if (!make_arena)
		return;
	if (kind == 3) {
		make_emit(g, CODE_ARENA_USER, reg, base, 0, 0);
		return;
	}
	op = make_random_op(g, KIND_ATOMIC);
	if (kind == 2 && isa_info((enum isa_op)op)->sub == ATOMIC_CMPXCHG &&
	    g->reserved & BIT(R0))
		return;
	off = arena_place(g, base, kind == 2 ? isa_info((enum isa_op)op)->size : 1);
	if (kind == 0)
		make_emit(g, CODE_ARENA_LDX8 + log, reg, base, off, 0);
	else if (kind == 1)
		make_emit(g, CODE_ARENA_STX8 + log, base, reg, off, 0);
	else
		make_emit(g, CODE_ARENA_ATOMIC, base, reg, off, op);
}

/* --- the register that only lower() has --- */

void make_scratch(struct gen *g)
{
	u32 size = 1 + make_below(g, 2), op = size == 1 ? OP_STX16 : OP_STX32;

	if (make_chance(g, 50)) {
		make_emit_kept(g, OP_LD_IMM64, CODE_SCRATCH, 0, 0, (s64)make_number(g));
		make_emit_kept(g, OP_OR64_REG, make_any_dst(g), CODE_SCRATCH, 0, 0);
		return;
	}
	if (make_chance(g, 50))
		make_emit_kept(g, OP_MOV64_REG, CODE_SCRATCH, make_any_src(g), 0, 0);
	else
		make_emit_kept(g, OP_MOV64_IMM, CODE_SCRATCH, 0, 0, (s32)make_number(g));
	make_emit_kept(g, OP_AND64_IMM, CODE_SCRATCH, 0, 0, size == 1 ? 0xff : 0xffff);
	make_emit_kept(g, op, g->hold, CODE_SCRATCH, (s32)make_below(g, 64), 0);
}
