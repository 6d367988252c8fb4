/* SPDX-License-Identifier: MIT
 *
 * merge.c: numbers that compilers read byte by byte, because their struct is packed:
 *
 *	a = *(u8 *)(p + 1); a <<= 8; b = *(u8 *)(p + 0); a |= b; [a = be16 a]
 *
 * are one load, and a swap where the bytes come in the other order. Whatever the order of
 * the instructions: of each register it is known which bytes of memory it consists of.
 * All bytes would have been loaded anyway, so that what is read is the same memory.
 */
#include "jit/x64/gen.h"

enum what { OTHER, BASE, BYTES };

struct bytes {
	u8 what; /* enum what */
	u8 mask; /* bytes that are not 0 */
	s32 off[8]; /* where in memory each of these comes from */
};

struct merge {
	struct bytes reg[NR_REGS];
	u16 written;
	/* The best that was found so far: */
	u32 n; /* instructions; 0: nothing */
	u8 dst;
	u32 size;
	s32 off;
	bool swap;
};

static bool load(struct merge *m, const struct code_insn *i, u32 size)
{
	struct bytes b = {.what = BYTES, .mask = (u8)(BIT(size) - 1)};

	if (m->reg[i->src].what != BASE)
		return false;
	for (u32 k = 0; k < size; k++)
		b.off[k] = i->off + (s32)k;
	m->reg[i->dst] = b;
	return true;
}

static bool shift(struct merge *m, const struct code_insn *i, bool wide)
{
	u32 by = (u32)i->imm / 8, room = wide ? 8 : 4;
	struct bytes *b = &m->reg[i->dst];

	if (b->what != BYTES || i->imm <= 0 || i->imm % 8 || by >= room)
		return false;
	for (u32 k = room; k-- > by;)
		b->off[k] = b->off[k - by];
	b->mask = (u8)((u32)b->mask << by & (BIT(room) - 1));
	return true;
}

static bool join(struct merge *m, const struct code_insn *i, bool wide)
{
	struct bytes *a = &m->reg[i->dst];
	const struct bytes *b = &m->reg[i->src];

	if (a->what != BYTES || b->what != BYTES || a->mask & b->mask ||
	    (!wide && (a->mask | b->mask) > 15))
		return false;
	for (u32 k = 0; k < 8; k++)
		if (b->mask & BIT(k))
			a->off[k] = b->off[k];
	a->mask |= b->mask;
	return true;
}

static bool move(struct merge *m, const struct code_insn *i, bool wide)
{
	const struct bytes *from = &m->reg[i->src];

	if (from->what == OTHER || (!wide && (from->what == BASE || from->mask > 15)))
		return false;
	m->reg[i->dst] = *from;
	return true;
}

/* Follows one instruction; false: it does not belong here. */
static bool follow(struct merge *m, const struct code_insn *i)
{
	bool done;

	if (i->op >= NR_OPS || i->dst >= R_FP || i->src > R_FP)
		return false;
	switch (i->op) {
	case OP_LDX8:
	case OP_LDX16:
	case OP_LDX32:
		done = load(m, i, isa_info((enum isa_op)i->op)->size);
		break;
	case OP_LSH32_IMM:
	case OP_LSH64_IMM:
		done = shift(m, i, i->op == OP_LSH64_IMM);
		break;
	case OP_OR32_REG:
	case OP_OR64_REG:
		done = join(m, i, i->op == OP_OR64_REG);
		break;
	case OP_MOV32_REG:
	case OP_MOV64_REG:
		done = move(m, i, i->op == OP_MOV64_REG);
		break;
	default:
		return false;
	}
	m->written |= (u16)BIT(i->dst);
	return done;
}

/* Whether the bytes are a number as it lies in memory, or the other way round. */
static bool is_number(const struct bytes *b, u32 *size, s32 *off, bool *swap)
{
	u32 n = b->mask == 3 ? 2 : b->mask == 15 ? 4 : b->mask == 255 ? 8 : 0;
	s32 step = b->off[1] - b->off[0];

	if (b->what != BYTES || !n || (step != 1 && step != -1))
		return false;
	for (u32 k = 2; k < n; k++)
		if (b->off[k] - b->off[k - 1] != step)
			return false;
	*size = n;
	*swap = step < 0;
	*off = *swap ? b->off[n - 1] : b->off[0];
	return true;
}

/* @n instructions were followed; the last one has written @dst. */
static void note(const struct gen *g, struct merge *m, u32 n, u8 dst)
{
	u16 live = plan_live(g->plan, g->at + n - 1) & m->written & (u16)~BIT(dst);
	u32 size;
	bool swap;
	s32 off;

	if (live || !is_number(&m->reg[dst], &size, &off, &swap))
		return;
	m->n = n;
	m->dst = dst;
	m->size = size;
	m->off = off;
	m->swap = swap;
}

static void follow_all(const struct gen *g, struct merge *m)
{
	enum { LONGEST = 32 };
	const struct code_insn *i = &g->code->insns[g->at];

	m->reg[i->src].what = BASE;
	for (u32 n = 0; n < LONGEST && g->at + n < g->sub->end; n++, i++) {
		if ((n && plan_is_target(g->plan, g->at + n)) || !follow(m, i))
			return;
		if (i->op == OP_OR32_REG || i->op == OP_OR64_REG)
			note(g, m, n + 1, i->dst);
	}
}

/* A row of bytes begins with a load, and soon something is shifted. */
static bool looks_like(const struct gen *g)
{
	const struct code_insn *i = &g->code->insns[g->at];

	for (u32 k = 1; k <= 4 && g->at + k < g->sub->end; k++)
		if (i[k].op == OP_LSH32_IMM || i[k].op == OP_LSH64_IMM)
			return i->src < R_FP;
	return false;
}

/* The swap that @insn is of a number of @size bytes. */
static bool swaps(const struct code_insn *insn, u8 dst, u32 size)
{
	static const u16 be[] = {[2] = OP_BE16, [4] = OP_BE32, [8] = OP_BE64};
	static const u16 bswap[] = {[2] = OP_BSWAP16, [4] = OP_BSWAP32, [8] = OP_BSWAP64};

	return insn->dst == dst && (insn->op == be[size] || insn->op == bswap[size]);
}

static void swapped_load(struct gen *g, u8 dst, struct x64_mem mem, u32 size)
{
	if (size > 2 && g->movbe) {
		x64_rm(&g->x, X64_MOVBE, size == 8, dst, mem);
		return;
	}
	gen_load_from(g, dst, mem, size, false);
	if (size == 2)
		x64_rri(&g->x, X64_ROL16_I, false, 0, dst, 8, 1);
	else
		x64_bswap(&g->x, size == 8, dst);
}

/* One load, and its swap. */
static u32 load_and_swap(struct gen *g)
{
	const struct code_insn *i = &g->code->insns[g->at];
	u32 size = isa_info((enum isa_op)i->op)->size;

	if (size < 2 || g->at + 1 >= g->sub->end || plan_is_target(g->plan, g->at + 1) ||
	    !swaps(i + 1, i->dst, size))
		return 0;
	g->next = g->at + 2;
	swapped_load(g, gen_reg(i->dst), x64_at(gen_reg(i->src), i->off), size);
	return 2;
}

u32 gen_merge(struct gen *g)
{
	const struct code_insn *first = &g->code->insns[g->at];
	struct merge m = {.n = 0};
	struct x64_mem mem;

	if (looks_like(g))
		follow_all(g, &m);
	if (!m.n)
		return load_and_swap(g);
	if (g->at + m.n < g->sub->end && !plan_is_target(g->plan, g->at + m.n) &&
	    swaps(first + m.n, m.dst, m.size)) {
		m.swap = !m.swap;
		m.n++;
	}
	g->next = g->at + m.n;
	mem = x64_at(gen_reg(first->src), m.off);
	if (m.swap)
		swapped_load(g, gen_reg(m.dst), mem, m.size);
	else
		gen_load_from(g, gen_reg(m.dst), mem, m.size, false);
	return m.n;
}
