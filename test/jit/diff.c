/* SPDX-License-Identifier: MIT
 *
 * diff.c: generates code, runs it both ways, compares, and makes what differs small.
 *
 * A program keeps the address of its memory in one of r6-r9 (`hold`). Other registers hold
 * numbers, and addresses only between their making and their use, so that no result
 * depends on where the stack lies. After a call, r1-r5 are set again.
 */
#include "jit/diff.h"
#include "jit/jit.h"
#include "run/pools.h"

#include <inttypes.h>
#include <stdarg.h>
#include <sys/mman.h>

enum {
	MAX_INSNS = 4096,
	MEM_SIZE = DIFF_MEM, /* around the address that programs get: half on either side */
	MAX_SUBS = 4,
	STACK = 128,
};

struct gen {
	u64 random;
	struct code_insn v[MAX_INSNS];
	u8 keep[MAX_INSNS]; /* addresses and loops: not to be taken out */
	u32 n;
	u32 hold;	    /* register with the address of the memory */
	u32 reserved;	    /* registers that loops count in, as bits */
	u32 unset;	    /* registers that hold nothing */
	u32 sub, nsubs;
	u32 entry[MAX_SUBS], frame[MAX_SUBS];
	struct code_func funcs[MAX_SUBS];
	u32 leaves[64], nleaves; /* jumps to the end of the subprogram, where runs end early */
	bool keeping;
	bool metered; /* loops and callbacks count turns; what is held is noted */
	bool plain; /* only what a kernel's verifier takes */
};

/* --- numbers --- */

static u64 next(struct gen *g)
{
	u64 x = g->random += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static u32 below(struct gen *g, u32 n)
{
	return (u32)(next(g) >> 32) % n;
}

static bool chance(struct gen *g, u32 percent)
{
	return below(g, 100) < percent;
}

static u64 number(struct gen *g)
{
	static const u64 edges[] = {0, 1, 2, 7, 31, 32, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000,
				    0xffff, INT32_MAX, 0x80000000, 0xffffffff, 0x100000000,
				    INT64_MAX, 1ull << 63, UINT64_MAX, -128ull, -129ull};
	u32 kind = below(g, 4);

	if (kind == 0)
		return edges[below(g, ARRAY_SIZE(edges))];
	if (kind == 1)
		return next(g) >> below(g, 64);
	return kind == 2 ? (u64)(s64)(s8)next(g) : next(g);
}

/* --- emitting --- */

static void emit(struct gen *g, u32 op, u32 dst, u32 src, s32 off, s64 imm)
{
	if (g->n + 64 >= MAX_INSNS && !g->keeping)
		return;
	g->keep[g->n] = g->keeping;
	g->v[g->n++] = (struct code_insn){(u16)op, (u8)dst, (u8)src, off, {.imm = imm}};
}

static void emit_kept(struct gen *g, u32 op, u32 dst, u32 src, s32 off, s64 imm)
{
	bool before = g->keeping;

	g->keeping = true;
	emit(g, op, dst, src, off, imm);
	g->keeping = before;
}

/* A register that may be written. */
static u32 any_dst(struct gen *g)
{
	u32 reg;

	do
		reg = below(g, R_FP);
	while (reg == g->hold || g->reserved & BIT(reg));
	return reg;
}

/* Subprograms hold an address in their stack, which is no number to calculate with. */
static u32 any_src(struct gen *g)
{
	u32 reg;

	do
		reg = below(g, R_FP);
	while (((g->sub || g->plain) && reg == g->hold) || g->unset & BIT(reg));
	return reg;
}

static void set_number(struct gen *g, u32 reg)
{
	if (chance(g, 50))
		emit_kept(g, OP_LD_IMM64, reg, 0, 0, (s64)number(g));
	else if (chance(g, 50))
		emit_kept(g, OP_MOV64_IMM, reg, 0, 0, (s32)number(g));
	else
		emit_kept(g, OP_MOV32_IMM, reg, 0, 0, (s32)number(g));
}

static void set_args(struct gen *g)
{
	for (u32 reg = R1; reg <= R5; reg++)
		if (!(g->reserved & BIT(reg)))
			set_number(g, reg);
}

static u32 random_op(struct gen *g, enum isa_kind kind)
{
	u32 op;

	do
		op = 1 + below(g, NR_OPS - 1);
	while (isa_info((enum isa_op)op)->kind != kind);
	return op;
}

/* --- arithmetic --- */

/* As a verifier wants it: shifts of less than the width, no division by a plain zero. */
static s32 operand(const struct gen *g, u32 op, s32 imm)
{
	const struct isa_info *info = isa_info((enum isa_op)op);
	bool shifts = info->sub == ALU_LSH || info->sub == ALU_RSH || info->sub == ALU_ARSH;
	bool divides = info->sub >= ALU_DIV && info->sub <= ALU_SMOD;

	if (!g->plain || info->src_reg)
		return imm;
	if (shifts)
		return imm & (info->wide ? 63 : 31);
	return divides && !imm ? 1 : imm;
}

static void alu(struct gen *g)
{
	u32 op = random_op(g, KIND_ALU), dst = any_dst(g), src = any_src(g);

	emit(g, op, dst, src, 0, operand(g, op, (s32)number(g)));
}

static void divide(struct gen *g)
{
	static const u16 ops[] = {OP_DIV32_IMM, OP_DIV64_IMM, OP_MOD32_IMM, OP_MOD64_IMM,
				  OP_SDIV32_IMM, OP_SMOD64_IMM};
	static const s32 by[] = {3, 5, 7, 10, 100, 1000, 641, 1000000007, INT32_MAX};
	u32 op = ops[below(g, ARRAY_SIZE(ops))];
	s32 imm = chance(g, 50) ? by[below(g, ARRAY_SIZE(by))]
				: (s32)(number(g) >> below(g, 32));

	emit(g, op, any_dst(g), 0, 0, operand(g, op, imm));
}

/* Runs of what compilers write, which the generator may write as one instruction. */
static void idiom(struct gen *g)
{
	static const u16 ops[] = {
		OP_ADD64_REG, OP_ADD64_IMM, OP_ADD32_REG, OP_ADD32_IMM, OP_LSH64_IMM,
		OP_LSH32_IMM, OP_RSH64_IMM, OP_RSH32_IMM, OP_OR64_REG, OP_OR32_REG,
		OP_AND64_IMM, OP_AND32_IMM, OP_SUB64_REG, OP_SUB32_REG, OP_XOR64_REG,
		OP_MOV32_REG, OP_MOV64_REG, OP_BE16, OP_BE32, OP_BE64, OP_ARSH64_IMM,
		OP_MUL64_REG, OP_SUB64_IMM, OP_LSH64_REG, OP_LSH32_REG, OP_RSH64_REG,
	};
	u32 a = any_dst(g), b = any_dst(g), n = 2 + below(g, 5);

	emit(g, chance(g, 50) ? OP_MOV64_REG : OP_MOV32_REG, a, chance(g, 70) ? b : any_src(g),
	     0, 0);
	for (u32 i = 0; i < n; i++) {
		u32 dst = chance(g, 60) ? a : b, src = chance(g, 50) ? b : any_src(g);
		s32 imm = chance(g, 60) ? (s32)below(g, 64) : (s32)number(g);
		u32 op = ops[below(g, ARRAY_SIZE(ops))];

		emit(g, op, dst, src, 0, operand(g, op, imm));
	}
}

static void rotate(struct gen *g)
{
	bool wide = chance(g, 50);
	u32 a = any_dst(g), b = any_dst(g), x = chance(g, 50) ? b : any_src(g);
	u32 bits = wide ? 64 : 32, k = 1 + below(g, bits - 1);

	emit(g, wide ? OP_MOV64_REG : OP_MOV32_REG, a, x, 0, 0);
	emit(g, wide ? OP_LSH64_IMM : OP_LSH32_IMM, a, 0, 0, k);
	if (x != b)
		emit(g, wide ? OP_MOV64_REG : OP_MOV32_REG, b, x, 0, 0);
	emit(g, wide ? OP_RSH64_IMM : OP_RSH32_IMM, b, 0, 0,
	     chance(g, 80) ? bits - k : below(g, bits));
	if (chance(g, 50))
		emit(g, wide ? OP_OR64_REG : OP_OR32_REG, a, b, 0, 0);
	else
		emit(g, wide ? OP_OR64_REG : OP_OR32_REG, b, a, 0, 0);
	if (chance(g, 50))
		set_number(g, chance(g, 50) ? a : b);
}

/* The address of an element, or what looks like it. */
static void scaled(struct gen *g)
{
	static const u8 by[] = {1, 2, 3, 4, 8, 16};
	u32 a = any_dst(g), t = any_dst(g);

	emit(g, chance(g, 50) ? OP_MUL64_IMM : OP_LSH64_IMM, a, 0, 0, by[below(g, 6)]);
	if (chance(g, 50))
		emit(g, OP_LD_IMM64, t, 0, 0, (s64)number(g));
	emit(g, OP_ADD64_REG, a, chance(g, 80) ? t : any_src(g), 0, 0);
}

static void masked(struct gen *g, bool wide, u32 dst, u32 spare, u64 mask)
{
	if (!wide) {
		emit(g, OP_AND32_IMM, dst, 0, 0, (s32)mask);
		return;
	}
	emit(g, OP_LD_IMM64, spare, 0, 0, (s64)mask);
	emit(g, OP_AND64_REG, dst, spare, 0, 0);
}

static void shifted(struct gen *g, bool wide, u32 dst, u32 by)
{
	emit(g, wide ? OP_RSH64_IMM : OP_RSH32_IMM, dst, 0, 0,
	     chance(g, 97) ? by : below(g, 32));
}

static void sum_up(struct gen *g, bool wide, u32 dst, u32 src)
{
	emit(g, wide ? OP_ADD64_REG : OP_ADD32_REG, dst, src, 0, 0);
}

/* The count of bits as compilers write it out, now and then not quite. */
static void popcount(struct gen *g)
{
	bool wide = chance(g, 50);
	u32 move = wide ? OP_MOV64_REG : OP_MOV32_REG, mul = wide ? OP_MUL64_REG : OP_MUL32_IMM;
	u32 x = any_dst(g), t = any_dst(g), c = any_dst(g);

	emit(g, move, t, x, 0, 0);
	shifted(g, wide, t, 1);
	masked(g, wide, t, c, 0x5555555555555555);
	emit(g, wide ? OP_SUB64_REG : OP_SUB32_REG, x, t, 0, 0);
	emit(g, move, t, x, 0, 0);
	masked(g, wide, t, c, chance(g, 95) ? 0x3333333333333333 : number(g));
	shifted(g, wide, x, 2);
	if (wide && chance(g, 80))
		emit(g, OP_AND64_REG, x, c, 0, 0);
	else
		masked(g, wide, x, c, 0x3333333333333333);
	if (chance(g, 50)) {
		u32 other = t;

		t = x, x = other;
	}
	sum_up(g, wide, t, x);
	emit(g, move, x, t, 0, 0);
	shifted(g, wide, x, 4);
	sum_up(g, wide, t, x);
	masked(g, wide, t, c, 0x0f0f0f0f0f0f0f0f);
	if (wide)
		emit(g, OP_LD_IMM64, c, 0, 0, 0x0101010101010101);
	emit(g, mul, t, c, 0, 0x01010101);
	shifted(g, wide, t, wide ? 56 : 24);
	for (u32 i = 0; i < 3; i++) /* what holds parts is dead then, mostly */
		if (chance(g, 80) && (i < 1 || x != t) && (i < 2 || c != t))
			set_number(g, i == 1 ? x : i == 2 ? c : any_dst(g));
}

/* --- memory --- */

struct place {
	u32 base;
	s32 off;
	bool temp; /* the base is a number's register: set it again */
};

/* An address of @size bytes in the memory or the stack, with a base of any kind. */
static struct place place(struct gen *g, u32 size, bool aligned)
{
	bool stack = chance(g, 40);
	s32 at = stack ? -(s32)(size + below(g, STACK - size + 1))
		       : (s32)below(g, MEM_SIZE - size + 1) - MEM_SIZE / 2;
	struct place p = {stack ? R_FP : g->hold, at, false};
	s32 delta = 0;

	if (aligned || (g->plain && (stack || g->sub))) /* rounds down: to a larger distance */
		p.off = at = (s32)(at & -(s32)size) < (stack ? -STACK : -MEM_SIZE / 2)
				     ? -(s32)size : (s32)(at & -(s32)size);
	if (chance(g, 60))
		return p;
	p = (struct place){any_dst(g), at, true};
	emit_kept(g, OP_MOV64_REG, p.base, stack ? R_FP : g->hold, 0, 0);
	if (chance(g, 60)) {
		delta = chance(g, 70) ? (s32)below(g, 300) - 150 : (s32)below(g, 60000) - 30000;
		emit_kept(g, OP_ADD64_IMM, p.base, 0, 0, delta);
	}
	p.off = at - delta;
	return p;
}

static void done_with(struct gen *g, struct place p, u32 written)
{
	if (p.temp && p.base != written)
		set_number(g, p.base);
}

/* Verifiers want accesses aligned that order others. */
static bool must_align(const struct gen *g, u32 op)
{
	enum isa_kind kind = isa_info((enum isa_op)op)->kind;

	return g->plain && (kind == KIND_LOAD_ACQ || kind == KIND_STORE_REL);
}

static void load(struct gen *g)
{
	u32 op = random_op(g, chance(g, 85) ? KIND_LDX : KIND_LOAD_ACQ);
	struct place p = place(g, isa_info((enum isa_op)op)->size, must_align(g, op));
	u32 dst = chance(g, 30) && p.temp ? p.base : any_dst(g);

	/* The base that is loaded over must be there in both runs. */
	emit_kept(g, op, dst, p.base, p.off, 0);
	if (chance(g, 40)) {
		static const u16 uses[] = {OP_ADD64_REG, OP_XOR32_REG, OP_AND64_REG, OP_SUB64_REG,
					   OP_OR32_REG, OP_ADD32_REG, OP_MUL64_REG};
		static const u16 swaps[] = {OP_BE16, OP_BE32, OP_BE64, OP_BSWAP32};

		if (chance(g, 60))
			emit(g, uses[below(g, ARRAY_SIZE(uses))], any_dst(g), dst, 0, 0);
		else
			emit(g, swaps[below(g, ARRAY_SIZE(swaps))], dst, 0, 0, 0);
		if (chance(g, 50))
			set_number(g, dst);
	}
	done_with(g, p, dst);
}

/* A row of words, which may overlap. */
static void copy(struct gen *g)
{
	static const u16 loads[] = {OP_LDX8, OP_LDX16, OP_LDX32, OP_LDX64};
	static const u16 stores[] = {OP_STX8, OP_STX16, OP_STX32, OP_STX64};
	u32 log = below(g, 4), size = 1u << log, t = any_dst(g), s, i;
	u32 words = (40 + below(g, 140)) >> log;
	s32 from = (s32)below(g, MEM_SIZE - size * words) - MEM_SIZE / 2;
	s32 to = chance(g, 70) ? from + (s32)below(g, 81) - 40 : from, step = (s32)size;

	do
		s = any_dst(g);
	while (s == t);
	if (to < -MEM_SIZE / 2 || to + (s32)(size * words) > MEM_SIZE / 2)
		to = from;
	if (chance(g, 50))
		from += step * ((s32)words - 1), to += step * ((s32)words - 1), step = -step;
	emit_kept(g, OP_MOV64_REG, s, g->hold, 0, 0);
	for (i = 0; i < words; i++) {
		emit_kept(g, loads[log], t, s, from + (s32)i * step, 0);
		emit_kept(g, stores[log], g->hold, t, to + (s32)i * step, 0);
	}
	set_number(g, s);
	if (chance(g, 80))
		set_number(g, t);
}

/* A number of 2, 4 or 8 bytes, read byte by byte in some order, now and then not quite. */
static void bytewise(struct gen *g)
{
	static const u16 swaps[] = {OP_BE16, OP_BE32, OP_BE64, OP_BSWAP16, OP_BSWAP32};
	u32 n = 2u << below(g, 3), acc = any_dst(g), temp = 0, turn = below(g, 8);
	s32 off = (s32)below(g, 120) - 64;
	bool wide = n == 8 || chance(g, 30), big = chance(g, 50), first = true;

	for (u32 i = 0; i < n; i++) {
		u32 k = (i * 5 + turn) % n, reg = first ? acc : (temp = any_dst(g));
		s32 at = off + (s32)(big ? n - 1 - k : k);

		if (reg == g->hold || (!first && reg == acc))
			continue;
		emit(g, OP_LDX8, reg, g->hold, chance(g, 98) ? at : off, 0);
		if (k || chance(g, 5))
			emit(g, wide ? OP_LSH64_IMM : OP_LSH32_IMM, reg, 0, 0,
			     chance(g, 98) ? 8 * k : below(g, 32));
		if (!first)
			emit(g, chance(g, 80) == wide ? OP_OR64_REG : OP_OR32_REG, acc, reg, 0, 0);
		if (!first && chance(g, 5))
			emit(g, OP_MOV64_REG, reg, acc, 0, 0);
		else if (!first && i + 1 == n && chance(g, 90))
			set_number(g, reg);
		first = false;
	}
	if (chance(g, 40))
		emit(g, swaps[below(g, ARRAY_SIZE(swaps))], acc, 0, 0, 0);
	for (u32 reg = R0; reg < R_FP; reg++)
		if (chance(g, 80) && reg != acc && reg != g->hold &&
		    !(g->reserved & BIT(reg)) && !(g->unset & BIT(reg)))
			set_number(g, reg);
}

/* A field in the order of the network. */
static void network(struct gen *g)
{
	static const u16 loads[] = {OP_LDX16, OP_LDX32, OP_LDX64};
	static const u16 swaps[] = {OP_BE16, OP_BE32, OP_BE64, OP_BSWAP16, OP_BSWAP32, OP_BSWAP64};
	u32 reg = any_dst(g);

	emit(g, loads[below(g, 3)], reg, g->hold, (s32)below(g, 64), 0);
	emit(g, swaps[below(g, 6)], reg, 0, 0, 0);
}

static void store(struct gen *g)
{
	static const u8 kinds[] = {KIND_ST, KIND_STX, KIND_STX, KIND_STORE_REL};
	u32 op = random_op(g, (enum isa_kind)kinds[below(g, ARRAY_SIZE(kinds))]);
	struct place p = place(g, isa_info((enum isa_op)op)->size, must_align(g, op));
	u32 src;

	do /* an address as a number would differ from run to run */
		src = any_src(g);
	while (p.temp && src == p.base);
	emit(g, op, p.base, src, p.off, (s32)number(g));
	done_with(g, p, NR_REGS);
}

static void locked(struct gen *g)
{
	u32 op = random_op(g, KIND_ATOMIC), src;
	const struct isa_info *info = isa_info((enum isa_op)op);
	bool cmpxchg = info->sub == ATOMIC_CMPXCHG;
	struct place p = place(g, info->size, true);

	do
		src = any_dst(g);
	while (src == p.base);
	if (cmpxchg && (p.base == R0 || g->reserved & BIT(R0))) {
		done_with(g, p, NR_REGS);
		return;
	}
	if (cmpxchg && chance(g, 50)) /* one that succeeds */
		emit(g, info->size == 8 ? OP_LDX64 : OP_LDX32, R0, p.base, p.off, 0);
	emit(g, op, p.base, src, p.off, 0);
	done_with(g, p, NR_REGS);
}

static void safe_load(struct gen *g)
{
	static const u64 bad[] = {0, 8, 65535, 0x10000, 0xdead000000000000,
				  0xffffffff81000000, 1ull << 63};
	u32 op = CODE_SAFE_LDX8 + below(g, 7), base = any_dst(g);
	u32 dst = chance(g, 30) ? base : any_dst(g);

	if (chance(g, 80)) {
		emit_kept(g, OP_MOV64_REG, base, g->hold, 0, 0);
		emit_kept(g, op, dst, base, (s32)below(g, MEM_SIZE - 8) - MEM_SIZE / 2, 0);
	} else {
		emit_kept(g, OP_LD_IMM64, base, 0, 0, (s64)bad[below(g, ARRAY_SIZE(bad))]);
		emit_kept(g, op, dst, base, (s32)below(g, 256), 0);
	}
	if (base != dst)
		set_number(g, base);
}

/* --- pools, user pointers --- */

static _Alignas(64) u8 memory[MEM_SIZE]; /* of the program that runs */
static struct region pooled;		  /* its middle half */
static struct pool_set pool;

static void pool_init(void)
{
	pooled.start = (uintptr_t)memory + MEM_SIZE / 4;
	pooled.end = pooled.start + MEM_SIZE / 2;
	atomic_store_explicit(&pool.regions, &pooled, memory_order_relaxed);
}

/* Whether an address somewhere around the memory is in the pool; as a number. */
static void in_pool(struct gen *g)
{
	u32 reg = any_dst(g);

	emit_kept(g, OP_MOV64_REG, reg, g->hold, 0, 0);
	emit_kept(g, OP_ADD64_IMM, reg, 0, 0, (s32)below(g, MEM_SIZE) - MEM_SIZE / 2);
	emit_kept(g, CODE_IN_REGION, reg, 0, 1 << below(g, 4), (s64)(uintptr_t)&pool);
	emit_kept(g, OP_JEQ64_IMM, reg, 0, 1, 0);
	emit_kept(g, OP_MOV64_IMM, reg, 0, 0, (s32)number(g));
}

static void store_user(struct gen *g)
{
	struct place p = place(g, 8, true);
	u32 src;

	do
		src = any_src(g);
	while (p.temp && src == p.base);
	emit(g, CODE_STORE_USER, p.base, src, p.off, 0);
	done_with(g, p, NR_REGS);
}

/* --- an arena --- */

/*
 * One page in the middle of nothing: accesses hit one of its edges, where some bytes of a
 * number may be there and others not, or any place of the 4 GB.
 */
enum { ARENA_AT = 0x10000, ARENA_PAGE = 4096, ARENA_EDGE = 64 };

static u8 *arena; /* the window; NULL: not to be had */

static void arena_init(void)
{
	size_t size = BIT64(32) + ARENA_AT;
	u8 *at;

	if (arena)
		return;
	at = mmap(NULL, size + ARENA_AT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		  -1, 0);
	if (at == MAP_FAILED)
		return;
	arena = at + ARENA_AT; /* offsets may be negative */
	if (mprotect(arena + ARENA_AT, ARENA_PAGE, PROT_READ | PROT_WRITE)) {
		munmap(at, size + ARENA_AT);
		arena = NULL;
	}
}

/* Puts an address in @reg, whose upper half means nothing; the offset from it. */
static s32 arena_place(struct gen *g, u32 reg, u32 size)
{
	s32 off = chance(g, 50) ? 0 : (s32)(s16)next(g);
	u32 at = ARENA_AT - 8 + below(g, ARENA_EDGE);

	if (chance(g, 50))
		at += ARENA_PAGE - ARENA_EDGE + 16;
	if (chance(g, 90))
		emit_kept(g, OP_LD_IMM64, reg, 0, 0,
			  (s64)((next(g) & ~(u64)UINT32_MAX) | ((at & -size) - (u32)off)));
	return off;
}

static void in_arena(struct gen *g)
{
	u32 base = any_dst(g), reg = any_dst(g), log = below(g, 4), kind = below(g, 4), op;
	s32 off;

	if (!arena)
		return;
	if (kind == 3) {
		emit(g, CODE_ARENA_USER, reg, base, 0, 0);
		return;
	}
	op = random_op(g, KIND_ATOMIC);
	if (kind == 2 && isa_info((enum isa_op)op)->sub == ATOMIC_CMPXCHG &&
	    g->reserved & BIT(R0))
		return;
	off = arena_place(g, base, kind == 2 ? isa_info((enum isa_op)op)->size : 1);
	if (kind == 0)
		emit(g, CODE_ARENA_LDX8 + log, reg, base, off, 0);
	else if (kind == 1)
		emit(g, CODE_ARENA_STX8 + log, base, reg, off, 0);
	else
		emit(g, CODE_ARENA_ATOMIC, base, reg, off, op);
}

/* --- the register that only lower() has --- */

static void scratch(struct gen *g)
{
	u32 size = 1 + below(g, 2), op = size == 1 ? OP_STX16 : OP_STX32;

	if (chance(g, 50)) {
		emit_kept(g, OP_LD_IMM64, CODE_SCRATCH, 0, 0, (s64)number(g));
		emit_kept(g, OP_OR64_REG, any_dst(g), CODE_SCRATCH, 0, 0);
		return;
	}
	if (chance(g, 50))
		emit_kept(g, OP_MOV64_REG, CODE_SCRATCH, any_src(g), 0, 0);
	else
		emit_kept(g, OP_MOV64_IMM, CODE_SCRATCH, 0, 0, (s32)number(g));
	emit_kept(g, OP_AND64_IMM, CODE_SCRATCH, 0, 0, size == 1 ? 0xff : 0xffff);
	emit_kept(g, op, g->hold, CODE_SCRATCH, (s32)below(g, 64), 0);
}

/* --- calls --- */

static u64 mix(u64 h, u64 x)
{
	return (h ^ x) * 0x9e3779b97f4a7c15ull + (h >> 7);
}

static u64 fn0(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	return 0x8899aabbccddeeff;
}

static u64 fn2(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	return mix(mix(2, a), b);
}

static u64 fn5(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	return mix(mix(mix(mix(mix(5, a), b), c), d), e);
}

/* r1: a callback, r2, r3: numbers. */
static u64 fn_back(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	u64 sum = 0;

	for (u32 i = 0; i < 2; i++)
		sum = mix(sum, interp_callback((const void *)(uintptr_t)a, b, c, i, 7, sum));
	return sum;
}

static void call(struct gen *g)
{
	static const struct {
		u64 (*fn)(u64, u64, u64, u64, u64);
		u32 args;
	} fns[] = {{fn0, 1}, {fn2, 3}, {fn5, 6}, {fn5, 0}, {fn2, 0}};
	u32 i = below(g, ARRAY_SIZE(fns));

	if (g->reserved & (BIT(R0) | 0x3e))
		return;
	emit_kept(g, CODE_CALL + below(g, 8), 0, fns[i].args, 0,
		  (s64)(uintptr_t)fns[i].fn);
	set_args(g);
}

/* A jump to the end of the subprogram. */
static void leave(struct gen *g, u32 op)
{
	g->leaves[g->nleaves++] = g->n;
	emit_kept(g, op, 0, 0, 0, 0);
}

static void turn(struct gen *g)
{
	if (g->metered && g->nleaves < ARRAY_SIZE(g->leaves))
		leave(g, CODE_TURN);
}

static void call_sub(struct gen *g)
{
	u32 to = g->sub + 1;

	if (g->reserved & (BIT(R0) | 0x3e) || to >= g->nsubs ||
	    g->nleaves == ARRAY_SIZE(g->leaves))
		return;
	if (g->plain || chance(g, 70)) { /* the target's number stands in off until it is known */
		emit_kept(g, OP_CALL_SUBPROG, 0, 0, (s32)to, g->frame[g->sub]);
	} else {
		emit_kept(g, OP_LD_IMM64, R1, 0, 0, (s64)(uintptr_t)&g->funcs[to]);
		emit_kept(g, CODE_CALL, 0, chance(g, 50) ? 4 : 0, 0, (s64)(uintptr_t)fn_back);
	}
	if (!g->plain)
		leave(g, CODE_IF_ENDING);
	set_args(g);
}

static const struct code *tail_target; /* of this run */

static const struct code *tail(void *table, u64 index)
{
	return index % 3 ? tail_target : NULL;
}

static void tail_call(struct gen *g)
{
	if (g->reserved & (BIT(R0) | 0x3e))
		return;
	emit_kept(g, OP_MOV64_IMM, R3, 0, 0, below(g, 4));
	emit_kept(g, CODE_TAIL_CALL, 0, 4, 0, (s64)(uintptr_t)tail);
	set_args(g);
}

static void exchange(struct gen *g)
{
	if (g->reserved & (BIT(R0) | 0x3e))
		return;
	emit_kept(g, OP_MOV64_REG, R1, g->hold, 0, 0);
	emit_kept(g, OP_ADD64_IMM, R1, 0, 0, 8 * (s32)below(g, 16));
	emit_kept(g, CODE_KPTR_XCHG, 0, 0, 0, 0);
	set_args(g);
}

/* --- control --- */

static void block(struct gen *g, u32 depth, u32 n);

static void aim(struct gen *g, u32 jump)
{
	g->v[jump].off = (s32)(g->n - (jump + 1));
}

/* Around a block, which is sometimes long. */
static void branch(struct gen *g, u32 depth)
{
	u32 jump = g->n;

	emit(g, random_op(g, KIND_JMP), any_src(g), any_src(g), 0, (s32)number(g));
	if (jump == g->n)
		return;
	if (chance(g, 20)) { /* as compilers jump far: over a jump */
		g->v[jump].off = 1;
		jump = g->n;
		emit_kept(g, OP_JA, 0, 0, 0, 0);
	}
	block(g, depth + 1, chance(g, 10) ? 60 : 1 + below(g, 8));
	aim(g, jump);
}

/* if (a cond b) x = 1; and the like */
static void choose(struct gen *g)
{
	u32 x = any_dst(g), jump;

	if (chance(g, 70))
		emit(g, OP_MOV64_IMM, x, 0, 0, chance(g, 80) ? (s32)below(g, 2) : (s32)number(g));
	jump = g->n;
	emit(g, random_op(g, KIND_JMP), any_src(g), any_src(g), 0, (s32)number(g));
	if (jump == g->n)
		return;
	if (chance(g, 50))
		emit(g, OP_MOV64_IMM, x, 0, 0, chance(g, 80) ? (s32)below(g, 2) : (s32)number(g));
	else
		emit(g, chance(g, 50) ? OP_MOV64_REG : OP_MOV32_REG, x, any_src(g), 0, 0);
	aim(g, jump);
}

static void throw(struct gen *g)
{
	u32 jump = g->n;

	if (g->reserved & BIT(R1) || g->nleaves == ARRAY_SIZE(g->leaves))
		return;
	emit_kept(g, random_op(g, KIND_JMP), any_src(g), any_src(g), 0, (s32)number(g));
	emit_kept(g, CODE_THROW, 0, 0, 0, 0);
	leave(g, OP_JA);
	aim(g, jump);
}

/* Notes that something is held, and that it is no more: registers stay as they are. */
static void hold_and_drop(struct gen *g)
{
	static const struct code_hold hows[] = {{HOLD_LOCAL, 0, NULL}, {HOLD_LOCK, 0, NULL},
						{HOLD_RECORD, 24, NULL}, {HOLD_SECTION, 0, NULL}};
	const struct code_hold *how = &hows[below(g, ARRAY_SIZE(hows))];
	u32 reg = any_src(g);

	emit_kept(g, CODE_HOLD, 0, reg, 0, (s64)(uintptr_t)how);
	emit_kept(g, CODE_DROP, 0, reg, 0, (s64)(uintptr_t)how);
}

/* Written as lower() does. */
static void sub_end(struct gen *g)
{
	for (u32 i = 0; i < g->nleaves; i++)
		aim(g, g->leaves[i]);
	if (!g->nleaves)
		return;
	g->nleaves = 0;
	if (g->metered)
		emit_kept(g, CODE_LEAVE, 0, 0, (s32)g->frame[g->sub], 0);
	if (!g->sub) {
		emit_kept(g, CODE_CATCH, 0, 0, 1, 0);
		emit_kept(g, OP_MOV64_REG, R0, R1, 0, 0);
	} else {
		emit_kept(g, OP_MOV64_IMM, R0, 0, 0, 1);
	}
	emit_kept(g, OP_EXIT, 0, 0, 0, 0);
}

static void loop(struct gen *g, u32 depth)
{
	u32 counter = any_dst(g), start, exit = 0;
	bool may = !g->plain && chance(g, 40);

	if (depth > 2 || __builtin_popcount(g->reserved & ~g->unset) > 1)
		return;
	emit_kept(g, OP_MOV64_IMM, counter, 0, 0, 1 + below(g, 4));
	g->reserved |= BIT(counter);
	start = g->n;
	turn(g);
	if (may) {
		exit = g->n;
		emit_kept(g, OP_MAY_GOTO, 0, 0, 0, 0);
	}
	block(g, depth + 1, 1 + below(g, 6));
	emit_kept(g, OP_ADD64_IMM, counter, 0, 0, -1);
	emit_kept(g, OP_JNE64_IMM, counter, 0, (s32)start - (s32)(g->n + 1), 0);
	if (may)
		aim(g, exit);
	g->reserved &= ~BIT(counter);
}

static void item(struct gen *g, u32 depth)
{
	u32 kind = below(g, 100);

	if (g->n + 1000 > MAX_INSNS)
		return;
	if (kind < 27)
		alu(g);
	else if (kind < 30)
		divide(g);
	else if (kind < 40)
		idiom(g);
	else if (kind < 44)
		rotate(g);
	else if (kind < 45)
		scaled(g);
	else if (kind < 46)
		popcount(g);
	else if (kind < 58)
		load(g);
	else if (kind < 59 && !(g->plain && g->sub))
		chance(g, 30) ? copy(g) : chance(g, 50) ? bytewise(g) : network(g);
	else if (kind < 68)
		store(g);
	else if (kind < 74)
		locked(g);
	else if (kind >= 78 && kind < 80)
		call_sub(g);
	else if (kind < 87 && g->plain)
		load(g);
	else if (kind < 75)
		in_pool(g);
	else if (kind < 76)
		chance(g, 60) ? store_user(g) : scratch(g);
	else if (kind < 78)
		chance(g, 50) ? safe_load(g) : in_arena(g);
	else if (kind < 84)
		call(g);
	else if (kind < 85)
		exchange(g);
	else if (kind < 86 && chance(g, 30))
		throw(g);
	else if (kind < 86 && g->metered && chance(g, 30))
		hold_and_drop(g);
	else if (kind < 86)
		tail_call(g);
	else if (kind < 87)
		emit(g, chance(g, 70) ? CODE_BOOL : CODE_CPU, any_dst(g), 0, 0, 0);
	else if (kind < 92)
		choose(g);
	else if (kind < 97)
		branch(g, depth);
	else
		loop(g, depth);
}

static void block(struct gen *g, u32 depth, u32 n)
{
	for (u32 i = 0; i < n && depth < 6; i++)
		item(g, depth);
}

/* --- a program --- */

static void subprog(struct gen *g, u32 i)
{
	bool used = chance(g, 80);

	g->sub = i;
	g->entry[i] = g->n;
	g->hold = R6 + below(g, 4);
	g->reserved = g->unset = 0;
	if (i)
		turn(g); /* it may be a callback */
	/* Subprograms have no memory but their stack. */
	emit_kept(g, OP_MOV64_REG, g->hold, i ? R_FP : R1, 0, 0);
	if (i)
		emit_kept(g, OP_ADD64_IMM, g->hold, 0, 0, -128 - STACK);
	/* The interpreter does not clear it again for a second call. */
	for (s32 at = i ? -256 - STACK : -STACK; (i || g->plain) && at < 0; at += 8)
		emit_kept(g, OP_ST64, R_FP, 0, at, at);
	for (u32 reg = i ? R6 : R0; reg < R_FP; reg++)
		if (reg != g->hold && (used || reg < R6))
			set_number(g, reg);
	if (i)
		set_number(g, R0);
	if (!used)
		for (u32 reg = R6; reg <= R9; reg++)
			if (reg != g->hold)
				g->reserved |= BIT(reg), g->unset |= BIT(reg);
	block(g, 0, 5 + below(g, i ? 10 : 40));
	for (u32 reg = R1; reg < R_FP; reg++) {
		if (reg == g->hold || (!used && reg >= R6))
			continue;
		emit(g, OP_MUL64_IMM, R0, 0, 0, 0x10001);
		emit(g, OP_XOR64_REG, R0, reg, 0, 0);
	}
	emit_kept(g, OP_EXIT, 0, 0, 0, 0);
	sub_end(g);
}

static void link_calls(struct gen *g)
{
	for (u32 i = 0; i < g->n; i++)
		if (g->v[i].op == OP_CALL_SUBPROG)
			g->v[i].off = (s32)g->entry[g->v[i].off] - (s32)(i + 1);
}

static void generate(struct gen *g, u64 seed, bool plain, struct code *code)
{
	memset(g, 0, sizeof(*g));
	g->random = seed * 0x2545f4914f6cdd1dull;
	g->plain = plain;
	g->metered = !plain && seed % 3 == 0;
	/* A kernel's programs have 512 bytes of stack in all. */
	g->nsubs = 1 + below(g, plain ? 2 : MAX_SUBS);
	for (u32 i = 0; i < g->nsubs; i++)
		g->frame[i] = 256 + STACK;
	for (u32 i = 0; i < g->nsubs; i++)
		subprog(g, i);
	link_calls(g);
	*code = (struct code){.insns = g->v, .ninsns = g->n, .entry = g->entry,
			      .funcs = g->funcs, .frame = g->frame, .nsubprogs = g->nsubs,
			      .stack_size = g->nsubs * (256 + STACK),
			      .window = (uintptr_t)arena,
			      .metered = g->metered,
			      .budget = {.turns = 1 + seed / 7 % 40, .ns = seed % 5 ? 0 : UINT32_MAX,
					 .result = 99}};
	for (u32 i = 0; i < g->nsubs; i++)
		g->funcs[i] = (struct code_func){code, g->entry[i], NULL};
}

/* --- running and comparing --- */

struct outcome {
	u64 result, faults;
	u32 budget, tails, ending;
	u8 mem[MEM_SIZE], edges[2][ARENA_EDGE]; /* of the arena's page */
};

struct both {
	struct pintle_host *host;
	struct slot_ctx *slot;
	struct code code, target;
	struct code compiled; /* `code`, or that with its constants hidden */
	u32 entry[MAX_SUBS];  /* of the latter */
	struct gen *gen;
	u64 seed;
	bool blind;
	struct outcome interp, native;
};

static u64 run_native(struct both *b, u8 *at)
{
	return code_call_native(&b->compiled, (uintptr_t)at, b->slot);
}

static void fill(u8 *mem, u64 seed)
{
	struct gen numbers = {.random = seed};

	for (u32 i = 0; i < MEM_SIZE; i += 8)
		memcpy(mem + i, &(u64){number(&numbers)}, 8);
}

static u8 *edge(u32 i)
{
	return arena + ARENA_AT + i * (ARENA_PAGE - ARENA_EDGE);
}

static void run_way(struct both *b, bool native, struct outcome *out)
{
	u64 faults = b->slot->faults;

	fill(memory, b->seed);
	for (u32 i = 0; arena && i < 2; i++)
		memcpy(edge(i), memory, ARENA_EDGE);
	atomic_store_explicit(&b->slot->space, b->seed % 3 ? 5 : 0, memory_order_relaxed);
	b->slot->goto_budget = b->seed % 4 ? 1000 : (u32)(b->seed / 4 % 6);
	b->slot->ending = ENDING_NONE;
	b->slot->tail_calls = b->seed % 5 ? 0 : MAX_TAIL_CALLS - 1;
	if (b->gen->metered)
		out->result = meter_run(native ? &b->compiled : &b->code,
					(uintptr_t)memory + MEM_SIZE / 2, 0, b->slot);
	else
		out->result = native ? run_native(b, memory + MEM_SIZE / 2)
				     : interp_tail(&b->code, (uintptr_t)memory + MEM_SIZE / 2,
						   b->slot);
	out->faults = b->slot->faults - faults;
	out->budget = b->slot->goto_budget;
	out->tails = b->slot->tail_calls;
	out->ending = b->slot->ending;
	memcpy(out->mem, memory, MEM_SIZE);
	for (u32 i = 0; arena && i < 2; i++)
		memcpy(out->edges[i], edge(i), ARENA_EDGE);
}

/* Native code of the program, as it is or with its constants hidden. */
static struct jit *compile(struct both *b)
{
	struct code *code = &b->compiled;

	*code = b->code;
	if (b->blind) {
		memcpy(b->entry, b->code.entry, sizeof(b->entry));
		code->entry = b->entry;
		code->arena = arena_new();
		if (!code->arena || jit_blind(NULL, code))
			return NULL;
	}
	return native_compile_one(b->host, NULL, code);
}

/* Whether both ways agree, as far as there is native code. */
static bool agree(struct both *b, bool *compiled)
{
	struct jit *jit;
	bool same = true;

	for (u32 i = 0; i < b->code.nsubprogs; i++)
		b->gen->funcs[i] = (struct code_func){&b->code, b->code.entry[i], NULL};
	run_way(b, false, &b->interp);
	jit = compile(b);
	*compiled = jit != NULL;
	if (jit) {
		run_way(b, true, &b->native);
		same = !memcmp(&b->interp, &b->native, sizeof(b->interp));
	}
	jit_free(jit);
	arena_free(b->compiled.arena);
	return same;
}

/* Addresses must be made as they are; jumps back and calls may go. */
static bool is_kept(const struct gen *g, u32 i)
{
	u32 op = g->v[i].op;

	if (op == OP_JA || op == CODE_HOLD || op == CODE_DROP)
		return true;
	return g->keep[i] && (op < NR_OPS ? isa_info((enum isa_op)op)->kind != KIND_JMP &&
						    op != OP_CALL_SUBPROG && op != OP_MAY_GOTO
					  : op >= CODE_SAFE_LDX8 && op <= CODE_SAFE_LDXS32);
}

/* Takes out what can be taken out while the two still differ. */
static void minimise(struct both *b)
{
	bool compiled, again = true;

	while (again) {
		again = false;
		for (u32 i = 0; i < b->code.ninsns; i++) {
			struct code_insn before = b->code.insns[i];

			if (is_kept(b->gen, i) || (before.op == OP_JA && !before.off))
				continue;
			b->code.insns[i] = (struct code_insn){OP_JA};
			if (agree(b, &compiled))
				b->code.insns[i] = before;
			else
				again = true;
		}
	}
	agree(b, &compiled);
}

static void say(struct diff_result *r, const char *fmt, ...) FORMAT(2, 3);
static void say(struct diff_result *r, const char *fmt, ...)
{
	size_t n = strlen(r->words);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->words + n, sizeof(r->words) - n, fmt, ap);
	va_end(ap);
}

static void describe(const struct both *b, struct diff_result *r)
{
	const struct outcome *i = &b->interp, *n = &b->native;

	r->seed = b->seed;
	r->words[0] = 0;
	say(r, "seed %" PRIu64 ": interpreter %" PRIx64 ", native %" PRIx64 "; faults %" PRIu64
	    " %" PRIu64 "; budget %u %u; tail calls %u %u; memory %s\n", b->seed, i->result,
	    n->result, i->faults, n->faults, i->budget, n->budget, i->tails, n->tails,
	    memcmp(i->mem, n->mem, MEM_SIZE) ? "differs" : "same");
	if (memcmp(i->edges, n->edges, sizeof(i->edges)))
		say(r, "the arena differs\n");
	for (u32 k = 0; k < MEM_SIZE; k++)
		if (i->mem[k] != n->mem[k])
			say(r, "at %d: %02x %02x\n", (int)k - MEM_SIZE / 2, i->mem[k], n->mem[k]);
	for (u32 k = 0; k < b->code.ninsns; k++) {
		const struct code_insn *insn = &b->code.insns[k];

		if (insn->op == OP_JA && !insn->off)
			continue;
		say(r, "%4u: %-18s r%u r%u %+d 0x%" PRIx64 "\n", k, code_op_name(insn->op),
		    insn->dst, insn->src, insn->off, (u64)insn->imm);
	}
}

/* What tail calls lead to; native in every second run. */
static void make_target(struct code *target, struct code_insn *insns, u32 *zero,
			struct code_func *func)
{
	insns[0] = (struct code_insn){OP_MOV64_REG, R0, R1};
	insns[1] = (struct code_insn){OP_ADD64_IMM, R0, .imm = 77};
	insns[2] = (struct code_insn){OP_EXIT};
	*target = (struct code){.insns = insns, .ninsns = 3, .entry = zero, .frame = zero,
				.nsubprogs = 1, .funcs = func};
}

bool diff_run(struct pintle_host *host, bool blind, u64 seed, u64 n, u64 *skipped,
	      struct diff_result *result)
{
	struct both b = {.host = host, .blind = blind, .slot = slot_get(host), .gen = calloc(1, sizeof(*b.gen))};
	static struct code_insn insns[3];
	static struct code_func func;
	static u32 zero;
	struct jit *jit;
	bool same = true;

	pool_init();
	arena_init();
	make_target(&b.target, insns, &zero, &func);
	jit = native_compile_one(host, NULL, &b.target);
	tail_target = &b.target;
	slot_swap(b.slot);
	for (u64 i = 0; i < n && same && b.gen; i++) {
		code_native *native = b.target.native;
		bool compiled;

		b.seed = seed + i;
		if (b.seed % 2)
			b.target.native = b.target.direct = NULL;
		generate(b.gen, b.seed, false, &b.code);
		same = agree(&b, &compiled);
		*skipped += !compiled;
		if (!same) {
			minimise(&b);
			describe(&b, result);
		}
		b.target.native = b.target.direct = native;
	}
	slot_swap(NULL);
	jit_free(jit);
	free(b.gen);
	return same;
}

bool diff_plain(struct pintle_host *host, u64 seed, struct diff_plain *out)
{
	static struct gen gen; /* out->insns points into it */
	struct both b = {.host = host, .slot = slot_get(host), .gen = &gen, .seed = seed};
	bool same;

	pool_init();
	arena_init();
	slot_swap(b.slot);
	generate(&gen, seed, true, &b.code);
	same = agree(&b, &out->compiled);
	slot_swap(NULL);
	out->insns = gen.v;
	out->n = gen.n;
	out->result = b.interp.result;
	fill(out->before, seed);
	memcpy(out->after, b.interp.mem, MEM_SIZE);
	return same;
}
