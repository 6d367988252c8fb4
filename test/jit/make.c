/* SPDX-License-Identifier: MIT
 *
 * make.c: numbers, single instructions, control flow, the program as a whole.
 */
#include "jit/make.h"

/* --- numbers --- */

u64 make_next(struct gen *g)
{
	u64 x = g->random += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

u32 make_below(struct gen *g, u32 n)
{
	return (u32)(make_next(g) >> 32) % n;
}

bool make_chance(struct gen *g, u32 percent)
{
	return make_below(g, 100) < percent;
}

u64 make_number(struct gen *g)
{
	static const u64 edges[] = {0, 1, 2, 7, 31, 32, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000,
				    0xffff, INT32_MAX, 0x80000000, 0xffffffff, 0x100000000,
				    INT64_MAX, 1ull << 63, UINT64_MAX, -128ull, -129ull};
	u32 kind = make_below(g, 4);

	if (kind == 0)
		return edges[make_below(g, ARRAY_SIZE(edges))];
	if (kind == 1)
		return make_next(g) >> make_below(g, 64);
	return kind == 2 ? (u64)(s64)(s8)make_next(g) : make_next(g);
}

/* --- emitting --- */

void make_emit(struct gen *g, u32 op, u32 dst, u32 src, s32 off, s64 imm)
{
	if (g->n + 64 >= MAX_INSNS && !g->keeping)
		return;
	g->keep[g->n] = g->keeping;
	g->v[g->n++] = (struct code_insn){(u16)op, (u8)dst, (u8)src, off, {.imm = imm}};
}

void make_emit_kept(struct gen *g, u32 op, u32 dst, u32 src, s32 off, s64 imm)
{
	bool before = g->keeping;

	g->keeping = true;
	make_emit(g, op, dst, src, off, imm);
	g->keeping = before;
}

/* A register that may be written. */
u32 make_any_dst(struct gen *g)
{
	u32 reg;

	do
		reg = make_below(g, R_FP);
	while (reg == g->hold || g->reserved & BIT(reg));
	return reg;
}

/* Subprograms hold an address in their stack, which is no number to calculate with. */
u32 make_any_src(struct gen *g)
{
	u32 reg;

	do
		reg = make_below(g, R_FP);
	while (((g->sub || g->plain) && reg == g->hold) || g->unset & BIT(reg));
	return reg;
}

void make_set_number(struct gen *g, u32 reg)
{
	if (make_chance(g, 50))
		make_emit_kept(g, OP_LD_IMM64, reg, 0, 0, (s64)make_number(g));
	else if (make_chance(g, 50))
		make_emit_kept(g, OP_MOV64_IMM, reg, 0, 0, (s32)make_number(g));
	else
		make_emit_kept(g, OP_MOV32_IMM, reg, 0, 0, (s32)make_number(g));
}

void make_set_args(struct gen *g)
{
	for (u32 reg = R1; reg <= R5; reg++)
		if (!(g->reserved & BIT(reg)))
			make_set_number(g, reg);
}

u32 make_random_op(struct gen *g, enum isa_kind kind)
{
	u32 op;

	do
		op = 1 + make_below(g, NR_OPS - 1);
	while (isa_info((enum isa_op)op)->kind != kind);
	return op;
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

	make_emit(g, make_random_op(g, KIND_JMP), make_any_src(g), make_any_src(g), 0, (s32)make_number(g));
	if (jump == g->n)
		return;
	if (make_chance(g, 20)) { /* as compilers jump far: over a jump */
		g->v[jump].off = 1;
		jump = g->n;
		make_emit_kept(g, OP_JA, 0, 0, 0, 0);
	}
	block(g, depth + 1, make_chance(g, 10) ? 60 : 1 + make_below(g, 8));
	aim(g, jump);
}

/* if (a cond b) x = 1; and the like */
static void choose(struct gen *g)
{
	u32 x = make_any_dst(g), jump;

	if (make_chance(g, 70))
		make_emit(g, OP_MOV64_IMM, x, 0, 0, make_chance(g, 80) ? (s32)make_below(g, 2) : (s32)make_number(g));
	jump = g->n;
	make_emit(g, make_random_op(g, KIND_JMP), make_any_src(g), make_any_src(g), 0, (s32)make_number(g));
	if (jump == g->n)
		return;
	if (make_chance(g, 50))
		make_emit(g, OP_MOV64_IMM, x, 0, 0, make_chance(g, 80) ? (s32)make_below(g, 2) : (s32)make_number(g));
	else
		make_emit(g, make_chance(g, 50) ? OP_MOV64_REG : OP_MOV32_REG, x, make_any_src(g), 0, 0);
	aim(g, jump);
}

static void throw(struct gen *g)
{
	u32 jump = g->n;

	if (g->reserved & BIT(R1) || g->nleaves == ARRAY_SIZE(g->leaves))
		return;
	make_emit_kept(g, make_random_op(g, KIND_JMP), make_any_src(g), make_any_src(g), 0, (s32)make_number(g));
	make_emit_kept(g, CODE_THROW, 0, 0, 0, 0);
	make_leave(g, OP_JA);
	aim(g, jump);
}

/* Notes that something is held, and that it is no more: registers stay as they are. */
static void hold_and_drop(struct gen *g)
{
	static const struct code_hold hows[] = {{HOLD_LOCAL, 0, NULL}, {HOLD_LOCK, 0, NULL},
						{HOLD_RECORD, 24, NULL}, {HOLD_SECTION, 0, NULL}};
	const struct code_hold *how = &hows[make_below(g, ARRAY_SIZE(hows))];
	u32 reg = make_any_src(g);

	make_emit_kept(g, CODE_HOLD, 0, reg, 0, (s64)(uintptr_t)how);
	make_emit_kept(g, CODE_DROP, 0, reg, 0, (s64)(uintptr_t)how);
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
		make_emit_kept(g, CODE_LEAVE, 0, 0, (s32)g->frame[g->sub], 0);
	if (!g->sub) {
		make_emit_kept(g, CODE_CATCH, 0, 0, 1, 0);
		make_emit_kept(g, OP_MOV64_REG, R0, R1, 0, 0);
	} else {
		make_emit_kept(g, OP_MOV64_IMM, R0, 0, 0, 1);
	}
	make_emit_kept(g, OP_EXIT, 0, 0, 0, 0);
}

static void loop(struct gen *g, u32 depth)
{
	u32 counter = make_any_dst(g), start, exit = 0;
	bool may = !g->plain && make_chance(g, 40);

	if (depth > 2 || __builtin_popcount(g->reserved & ~g->unset) > 1)
		return;
	make_emit_kept(g, OP_MOV64_IMM, counter, 0, 0, 1 + make_below(g, 4));
	g->reserved |= BIT(counter);
	start = g->n;
	make_turn(g);
	if (may) {
		exit = g->n;
		make_emit_kept(g, OP_MAY_GOTO, 0, 0, 0, 0);
	}
	block(g, depth + 1, 1 + make_below(g, 6));
	make_emit_kept(g, OP_ADD64_IMM, counter, 0, 0, -1);
	make_emit_kept(g, OP_JNE64_IMM, counter, 0, (s32)start - (s32)(g->n + 1), 0);
	if (may)
		aim(g, exit);
	g->reserved &= ~BIT(counter);
}

static void item(struct gen *g, u32 depth)
{
	u32 kind = make_below(g, 100);

	if (g->n + 1000 > MAX_INSNS)
		return;
	if (kind < 27)
		make_alu(g);
	else if (kind < 30)
		make_divide(g);
	else if (kind < 40)
		make_idiom(g);
	else if (kind < 44)
		make_rotate(g);
	else if (kind < 45)
		make_scaled(g);
	else if (kind < 46)
		make_popcount(g);
	else if (kind < 58)
		make_load(g);
	else if (kind < 59 && !(g->plain && g->sub))
		make_chance(g, 30) ? make_copy(g) : make_chance(g, 50) ? make_bytewise(g) : make_network(g);
	else if (kind < 68)
		make_store(g);
	else if (kind < 74)
		make_locked(g);
	else if (kind >= 78 && kind < 80)
		make_call_sub(g);
	else if (kind < 87 && g->plain)
		make_load(g);
	else if (kind < 75)
		make_in_pool(g);
	else if (kind < 76)
		make_chance(g, 60) ? make_store_user(g) : make_scratch(g);
	else if (kind < 78)
		make_chance(g, 50) ? make_safe_load(g) : make_in_arena(g);
	else if (kind < 84)
		make_call(g);
	else if (kind < 85)
		make_exchange(g);
	else if (kind < 86 && make_chance(g, 30))
		throw(g);
	else if (kind < 86 && g->metered && make_chance(g, 30))
		hold_and_drop(g);
	else if (kind < 86)
		make_tail_call(g);
	else if (kind < 87)
		make_emit(g, make_chance(g, 70) ? CODE_BOOL : CODE_CPU, make_any_dst(g), 0, 0, 0);
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
	bool used = make_chance(g, 80);

	g->sub = i;
	g->entry[i] = g->n;
	g->hold = R6 + make_below(g, 4);
	g->reserved = g->unset = 0;
	if (i)
		make_turn(g); /* it may be a callback */
	/* Subprograms have no memory but their stack. */
	make_emit_kept(g, OP_MOV64_REG, g->hold, i ? R_FP : R1, 0, 0);
	if (i)
		make_emit_kept(g, OP_ADD64_IMM, g->hold, 0, 0, -128 - STACK);
	/* The interpreter does not clear it again for a second call. */
	for (s32 at = i ? -256 - STACK : -STACK; (i || g->plain) && at < 0; at += 8)
		make_emit_kept(g, OP_ST64, R_FP, 0, at, at);
	for (u32 reg = i ? R6 : R0; reg < R_FP; reg++)
		if (reg != g->hold && (used || reg < R6))
			make_set_number(g, reg);
	if (i)
		make_set_number(g, R0);
	if (!used)
		for (u32 reg = R6; reg <= R9; reg++)
			if (reg != g->hold)
				g->reserved |= BIT(reg), g->unset |= BIT(reg);
	block(g, 0, 5 + make_below(g, i ? 10 : 40));
	for (u32 reg = R1; reg < R_FP; reg++) {
		if (reg == g->hold || (!used && reg >= R6))
			continue;
		make_emit(g, OP_MUL64_IMM, R0, 0, 0, 0x10001);
		make_emit(g, OP_XOR64_REG, R0, reg, 0, 0);
	}
	make_emit_kept(g, OP_EXIT, 0, 0, 0, 0);
	sub_end(g);
}

static void link_calls(struct gen *g)
{
	for (u32 i = 0; i < g->n; i++)
		if (g->v[i].op == OP_CALL_SUBPROG)
			g->v[i].off = (s32)g->entry[g->v[i].off] - (s32)(i + 1);
}

void make_program(struct gen *g, u64 seed, bool plain, struct code *code)
{
	memset(g, 0, sizeof(*g));
	g->random = seed * 0x2545f4914f6cdd1dull;
	g->plain = plain;
	g->metered = !plain && seed % 3 == 0;
	/* A kernel's programs have 512 bytes of stack in all. */
	g->nsubs = 1 + make_below(g, plain ? 2 : MAX_SUBS);
	for (u32 i = 0; i < g->nsubs; i++) {
		g->frame[i] = 256 + STACK;
		/* What subprog() writes, and what is never read. */
		g->unwritten[i] = i || plain ? 0 : BIT64(STACK / 8) - 1;
	}
	for (u32 i = 0; i < g->nsubs; i++)
		subprog(g, i);
	link_calls(g);
	*code = (struct code){.insns = g->v, .ninsns = g->n, .entry = g->entry,
			      .funcs = g->funcs, .frame = g->frame, .nsubprogs = g->nsubs,
			      .stack_size = g->nsubs * (256 + STACK),
			      .unwritten = seed % 4 ? g->unwritten : NULL,
			      .window = (uintptr_t)make_arena,
			      .metered = g->metered,
			      .budget = {.turns = 1 + seed / 7 % 40, .ns = seed % 5 ? 0 : UINT32_MAX,
					 .result = 99}};
	for (u32 i = 0; i < g->nsubs; i++)
		g->funcs[i] = (struct code_func){code, g->entry[i], NULL};
}
