/* SPDX-License-Identifier: MIT
 *
 * gen.c: see gen.h. The text keeps track of which registers hold a number or a value's
 * address if no branch is taken; where that is wrong, the verifier refuses the program.
 */
#include "soundness/gen.h"

u32 gen_roll(struct gen *g, u32 n)
{
	g->seed = g->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(g->seed >> 33) % n;
}

s32 gen_edge(struct gen *g)
{
	static const s32 edges[] = {0, 1, 2, 7, 8, 15, 31, 40, 41, 47, 48, 63, 64, 127, 255,
				    65535, -1, -2, -8, INT32_MAX, INT32_MIN};

	return edges[gen_roll(g, ARRAY_SIZE(edges))];
}

static void emit(struct gen *g, u32 code, u32 dst, u32 src, s32 off, s32 imm)
{
	g->insns[g->n++] = (struct insn){(u8)code, (u8)dst & 15, (u8)src & 15, (s16)off, imm};
}

/* One of the registers in @mask; @mask is not empty. */
static u32 any(struct gen *g, u16 mask)
{
	u32 r;

	do
		r = gen_roll(g, 10);
	while (!(mask & BIT(r)));
	return r;
}

static void becomes(struct gen *g, u32 r, bool value)
{
	g->number = (u16)(value ? g->number & ~BIT(r) : g->number | BIT(r));
	g->value = (u16)(value ? g->value | BIT(r) : g->value & ~BIT(r));
}

static void gen_alu(struct gen *g)
{
	static const u8 ops[] = {0x00, 0x10, 0x20, 0x40, 0x50, 0x50, 0xa0, 0x60, 0x70, 0xc0,
				 0x30, 0x90};
	u32 op = ops[gen_roll(g, ARRAY_SIZE(ops))], wide = gen_roll(g, 3) ? 3 : 0, src = gen_roll(g, 2);
	bool shift = op == 0x60 || op == 0x70 || op == 0xc0, divide = op == 0x30 || op == 0x90;
	s32 imm = shift ? (s32)gen_roll(g, wide ? 64 : 32) : gen_edge(g);

	if (divide && !imm)
		imm = 3;
	emit(g, op | (src ? 0xc : 4) | wide, any(g, g->number), src ? any(g, g->number) : 0,
	     divide ? (s32)gen_roll(g, 2) : 0, src ? 0 : imm);
}

static void gen_move(struct gen *g)
{
	u32 dst = gen_roll(g, 10), src;

	if (gen_roll(g, 2)) {
		emit(g, 0xb7, dst, 0, 0, gen_edge(g));
		becomes(g, dst, false);
		return;
	}
	src = any(g, g->number | g->value);
	emit(g, 0xbf, dst, src, 0, 0);
	becomes(g, dst, g->value & BIT(src));
}

static void gen_unary(struct gen *g)
{
	static const u32 codes[] = {0x87, 0x84, 0xd7, 0xd4, 0xdc};
	u32 code = codes[gen_roll(g, ARRAY_SIZE(codes))];

	emit(g, code, any(g, g->number), 0, 0,
	     (code & 0xf0) == 0xd0 ? 16 << gen_roll(g, 3) : 0);
}

static void gen_extend(struct gen *g)
{
	u32 wide = gen_roll(g, 2), dst = gen_roll(g, 10), src = any(g, g->number);

	emit(g, wide ? 0xbf : 0xbc, dst, src, (s32)(8 << gen_roll(g, 2 + wide)), 0);
	becomes(g, dst, false);
}

static void gen_atomic(struct gen *g)
{
	static const s32 ops[] = {0x00, 0x01, 0x50, 0x41, 0xa1, 0xe1};
	s32 op = ops[gen_roll(g, ARRAY_SIZE(ops))];
	u32 src = any(g, g->number), wide = gen_roll(g, 2);

	emit(g, wide ? 0xdb : 0xc3, R10, src, -8 * (s32)(1 + gen_roll(g, 5)), op);
}

/* A stack address that varies: r10 - 40 + 8 * n, some bytes of which are read or written. */
static void gen_stack_var(struct gen *g)
{
	u32 by = any(g, g->number), to = gen_roll(g, 10);

	if (to == by)
		return;
	emit(g, 0x57, by, 0, 0, 0x18);
	emit(g, 0xbf, to, R10, 0, 0);
	emit(g, 0x07, to, 0, 0, -40);
	emit(g, 0x0f, to, by, 0, 0);
	if (gen_roll(g, 2))
		emit(g, 0x73, to, any(g, g->number & ~BIT(to)), (s32)gen_roll(g, 8), 0);
	emit(g, 0x79, to, to, 0, 0);
	becomes(g, to, false);
}

static void gen_jump(struct gen *g)
{
	static const u8 ops[] = {0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0,
				 0xd0};
	u32 op = ops[gen_roll(g, ARRAY_SIZE(ops))], far = 1 + gen_roll(g, 8), src = gen_roll(g, 2);

	emit(g, op | (gen_roll(g, 3) ? 5 : 6) | (src ? 8 : 0), any(g, g->number),
	     src ? any(g, g->number) : 0, (s32)far, src ? 0 : gen_edge(g));
	if (g->n + far > g->far)
		g->far = g->n + far;
}

static void gen_stack(struct gen *g)
{
	static const u8 codes[] = {0x7b, 0x63, 0x6b, 0x73, 0x79, 0x61, 0x69, 0x71};
	static const u8 sizes[] = {8, 4, 2, 1};
	u32 kind = gen_roll(g, 8), r;
	s32 off = -8 * (s32)(1 + gen_roll(g, 5));

	if (!gen_roll(g, 3))
		off += (s32)(gen_roll(g, 8 / sizes[kind % 4]) * sizes[kind % 4]);
	r = kind < 4 ? any(g, g->number | (kind ? 0 : g->value)) : gen_roll(g, 10);
	emit(g, codes[kind], kind < 4 ? R10 : r, kind < 4 ? r : R10, off, 0);
	if (kind >= 4)
		becomes(g, r, false);
}

/* Moves a value's address by a number, masked or not, and reads there. */
static void gen_access(struct gen *g)
{
	u32 by = any(g, g->number), ptr = any(g, g->value), to = gen_roll(g, 10);

	if (to == by || ptr == by)
		return;
	if (gen_roll(g, 2))
		emit(g, 0x57, by, 0, 0, gen_edge(g));
	emit(g, 0xbf, to, ptr, 0, 0);
	emit(g, 0x0f, to, by, 0, 0);
	emit(g, 0x71, to, to, (s32)gen_roll(g, 8), 0);
	becomes(g, to, false);
}

/*
 * Some byte of the packet, most often within what was compared with its end: in both
 * orders of operands, from a pointer moved by a constant or by a bounded number.
 */
static void gen_packet(struct gen *g)
{
	static const u8 ops[] = {0x2d, 0x3d, 0xad, 0xbd};
	u32 op = gen_roll(g, 4), at = gen_roll(g, 10), end = gen_roll(g, 10), far = gen_roll(g, 10);
	u32 by = any(g, g->number), room = 1 + gen_roll(g, 8);
	bool swap = gen_roll(g, 2);

	if (at == end || at == far || end == far || by == at || by == end || by == far)
		return;
	emit(g, 0x79, end, R10, GEN_CTX_SLOT, 0);
	emit(g, 0x61, at, end, 0, 0);
	emit(g, 0x61, end, end, 4, 0);
	if (gen_roll(g, 2)) {
		emit(g, 0x57, by, 0, 0, (s32)gen_roll(g, 64));
		emit(g, 0x0f, at, by, 0, 0);
	} else {
		emit(g, 0x07, at, 0, 0, (s32)gen_roll(g, 8));
	}
	emit(g, 0xbf, far, at, 0, 0);
	emit(g, 0x07, far, 0, 0, (s32)room);
	emit(g, ops[op], swap ? end : far, swap ? far : end, gen_roll(g, 4) > 0, 0);
	emit(g, 0x71, at, at, (s32)gen_roll(g, room + !gen_roll(g, 8)), 0);
	becomes(g, at, false);
	becomes(g, end, false);
	becomes(g, far, false);
	emit(g, 0xb7, end, 0, 0, 0);
	emit(g, 0xb7, far, 0, 0, 0);
}

static void gen_loop(struct gen *g)
{
	u32 count = 6 + gen_roll(g, 3), at, body;
	bool may = !gen_roll(g, 3);

	if (g->value & BIT(count))
		return;
	emit(g, 0xb7, count, 0, 0, 0);
	becomes(g, count, false);
	at = g->n;
	if (may)
		emit(g, 0xe5, 0, 0, 3, 0);
	body = any(g, g->number);
	emit(g, gen_roll(g, 2) ? 0x07 : 0x57, body, 0, 0, gen_edge(g));
	emit(g, 0x07, count, 0, 0, 1);
	if (may)
		emit(g, 0x05, 0, 0, (s32)(at - g->n) - 1, 0);
	else
		emit(g, 0xa5, count, 0, (s32)(at - g->n) - 1, 1 + (s32)gen_roll(g, 5));
}

static void gen_random(struct gen *g)
{
	emit(g, 0x85, 0, 0, 0, 7);
	g->value &= (u16)~0x3f;
	g->number = (u16)((g->number & ~0x3f) | BIT(R0));
}

static void gen_call(struct gen *g)
{
	for (u32 r = R1; r <= R3; r++)
		if (!((g->number | g->value) & BIT(r)))
			emit(g, 0xb7, r, 0, 0, gen_edge(g));
	emit(g, 0x85, 0, CALL_SUBPROG, 0, 0); /* patched */
	g->value &= (u16)~0x3f;
	g->number = (u16)((g->number & ~0x3f) | BIT(R0));
}

static void gen_body(struct gen *g, u32 steps, bool calls)
{
	static void (*const parts[])(struct gen *) = {
		gen_alu, gen_alu, gen_alu, gen_unary, gen_extend, gen_atomic, gen_stack_var, gen_move, gen_move, gen_jump, gen_jump,
		gen_stack, gen_stack, gen_access, gen_packet, gen_loop, gen_random, gen_call,
	};

	g->far = 0;
	while (steps--) {
		u32 i = gen_roll(g, ARRAY_SIZE(parts) - !calls);

		if (!g->number)
			gen_random(g);
		if (parts[i] != gen_access || g->value)
			parts[i](g);
	}
	while (g->n < g->far)
		emit(g, 0xb7, R0, 0, 0, 0);
}

/* r6: a value of the array; r7, r8: numbers of the context. */
void gen_program(struct gen *g, u64 seed)
{
	static const struct insn head[] = {
		{0x7b, R10, R1, GEN_CTX_SLOT, 0},
		{0x61, R7, R1, 12, 0}, {0x61, R8, R1, 16, 0}, {0x62, R10, 0, -8, 0},
		{0xbf, R2, R10, 0, 0}, {0x07, R2, 0, 0, -8}, {0x18, R1, IMM_MAP, 0, 0},
		{0, 0, 0, 0, 0}, {0x85, 0, 0, 0, 1}, {0x55, R0, 0, 2, 0}, {0xb7, R0, 0, 0, 0},
		{0x95, 0, 0, 0, 0}, {0xbf, R6, R0, 0, 0}, {0xb7, R0, 0, 0, 0},
	};
	bool called = false;
	u32 sub;

	g->seed = seed * 0x9e3779b97f4a7c15ull;
	memcpy(g->insns, head, sizeof(head));
	g->n = ARRAY_SIZE(head);
	g->number = BIT(R0) | BIT(R7) | BIT(R8);
	g->value = BIT(R6);
	gen_body(g, 8 + gen_roll(g, 40), true);
	emit(g, 0xb7, R0, 0, 0, 0);
	emit(g, 0x95, 0, 0, 0, 0);
	sub = g->n;
	g->number = BIT(R1) | BIT(R2) | BIT(R3);
	g->value = 0;
	for (u32 i = 0; i < sub; i++)
		if (g->insns[i].code == 0x85 && g->insns[i].src == CALL_SUBPROG) {
			g->insns[i].imm = (s32)(sub - i - 1);
			called = true;
		}
	if (!called)
		return;
	gen_body(g, 3 + gen_roll(g, 10), false);
	emit(g, 0xb7, R0, 0, 0, (s32)gen_roll(g, 60));
	emit(g, 0x95, 0, 0, 0, 0);
}
