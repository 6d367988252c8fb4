/* SPDX-License-Identifier: MIT
 *
 * Random programs: what the verifier accepts is run on a machine that trusts nothing, with
 * inputs at the edges. No access leaves its memory, no code proved dead is reached, no
 * branch proved one-way goes the other. And a program refused by a walk that never prunes
 * is refused by one that does, but for what a pruned path may read differently: bytes of
 * a spilled pointer.
 */
#include "verify_fixture.h"

#include "base/arena.h"
#include "base/log.h"

enum { PROGRAMS = 400, RUNS = 12, MAX_LEN = 512, MAX_RUN = 100000, BUDGET = 10000, VALUE = 48, DEPTH = 9 };

struct gen {
	u64 seed;
	struct insn insns[MAX_LEN];
	u32 n, far; /* far: a jump leads there */
	u16 number, value; /* registers that hold one, as far as the text goes */
};

static u32 roll(struct gen *g, u32 n)
{
	g->seed = g->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(g->seed >> 33) % n;
}

static s32 edge(struct gen *g)
{
	static const s32 edges[] = {0, 1, 2, 7, 8, 15, 31, 40, 41, 47, 48, 63, 64, 127, 255,
				    65535, -1, -2, -8, INT32_MAX, INT32_MIN};

	return edges[roll(g, ARRAY_SIZE(edges))];
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
		r = roll(g, 10);
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
	u32 op = ops[roll(g, ARRAY_SIZE(ops))], wide = roll(g, 3) ? 3 : 0, src = roll(g, 2);
	bool shift = op == 0x60 || op == 0x70 || op == 0xc0, divide = op == 0x30 || op == 0x90;
	s32 imm = shift ? (s32)roll(g, wide ? 64 : 32) : edge(g);

	if (divide && !imm)
		imm = 3;
	emit(g, op | (src ? 0xc : 4) | wide, any(g, g->number), src ? any(g, g->number) : 0,
	     divide ? (s32)roll(g, 2) : 0, src ? 0 : imm);
}

static void gen_move(struct gen *g)
{
	u32 dst = roll(g, 10), src;

	if (roll(g, 2)) {
		emit(g, 0xb7, dst, 0, 0, edge(g));
		becomes(g, dst, false);
		return;
	}
	src = any(g, g->number | g->value);
	emit(g, 0xbf, dst, src, 0, 0);
	becomes(g, dst, g->value & BIT(src));
}

static void gen_jump(struct gen *g)
{
	static const u8 ops[] = {0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0,
				 0xd0};
	u32 op = ops[roll(g, ARRAY_SIZE(ops))], far = 1 + roll(g, 8), src = roll(g, 2);

	emit(g, op | (roll(g, 3) ? 5 : 6) | (src ? 8 : 0), any(g, g->number),
	     src ? any(g, g->number) : 0, (s32)far, src ? 0 : edge(g));
	if (g->n + far > g->far)
		g->far = g->n + far;
}

static void gen_stack(struct gen *g)
{
	static const u8 codes[] = {0x7b, 0x63, 0x6b, 0x73, 0x79, 0x61, 0x69, 0x71};
	static const u8 sizes[] = {8, 4, 2, 1};
	u32 kind = roll(g, 8), r;
	s32 off = -8 * (s32)(1 + roll(g, 5));

	if (!roll(g, 3))
		off += (s32)(roll(g, 8 / sizes[kind % 4]) * sizes[kind % 4]);
	r = kind < 4 ? any(g, g->number | (kind ? 0 : g->value)) : roll(g, 10);
	emit(g, codes[kind], kind < 4 ? R10 : r, kind < 4 ? r : R10, off, 0);
	if (kind >= 4)
		becomes(g, r, false);
}

/* Moves a value's address by a number, masked or not, and reads there. */
static void gen_access(struct gen *g)
{
	u32 by = any(g, g->number), ptr = any(g, g->value), to = roll(g, 10);

	if (to == by || ptr == by)
		return;
	if (roll(g, 2))
		emit(g, 0x57, by, 0, 0, edge(g));
	emit(g, 0xbf, to, ptr, 0, 0);
	emit(g, 0x0f, to, by, 0, 0);
	emit(g, 0x71, to, to, (s32)roll(g, 8), 0);
	becomes(g, to, false);
}

static void gen_loop(struct gen *g)
{
	u32 count = 6 + roll(g, 3), at, body;
	bool may = !roll(g, 3);

	if (g->value & BIT(count))
		return;
	emit(g, 0xb7, count, 0, 0, 0);
	becomes(g, count, false);
	at = g->n;
	if (may)
		emit(g, 0xe5, 0, 0, 3, 0);
	body = any(g, g->number);
	emit(g, roll(g, 2) ? 0x07 : 0x57, body, 0, 0, edge(g));
	emit(g, 0x07, count, 0, 0, 1);
	if (may)
		emit(g, 0x05, 0, 0, (s32)(at - g->n) - 1, 0);
	else
		emit(g, 0xa5, count, 0, (s32)(at - g->n) - 1, 1 + (s32)roll(g, 5));
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
			emit(g, 0xb7, r, 0, 0, edge(g));
	emit(g, 0x85, 0, CALL_SUBPROG, 0, 0); /* patched */
	g->value &= (u16)~0x3f;
	g->number = (u16)((g->number & ~0x3f) | BIT(R0));
}

static void gen_body(struct gen *g, u32 steps, bool calls)
{
	static void (*const parts[])(struct gen *) = {
		gen_alu, gen_alu, gen_alu, gen_move, gen_move, gen_jump, gen_jump,
		gen_stack, gen_stack, gen_access, gen_loop, gen_random, gen_call,
	};

	g->far = 0;
	while (steps--) {
		u32 i = roll(g, ARRAY_SIZE(parts) - !calls);

		if (!g->number)
			gen_random(g);
		if (parts[i] != gen_access || g->value)
			parts[i](g);
	}
	while (g->n < g->far)
		emit(g, 0xb7, R0, 0, 0, 0);
}

/* r6: a value of the array; r7, r8: numbers of the context. */
static void generate(struct gen *g)
{
	static const struct insn head[] = {
		{0x61, R7, R1, 12, 0}, {0x61, R8, R1, 16, 0}, {0x62, R10, 0, -8, 0},
		{0xbf, R2, R10, 0, 0}, {0x07, R2, 0, 0, -8}, {0x18, R1, IMM_MAP, 0, 0},
		{0, 0, 0, 0, 0}, {0x85, 0, 0, 0, 1}, {0xbf, R6, R0, 0, 0}, {0xb7, R0, 0, 0, 0},
	};
	u32 sub;

	memcpy(g->insns, head, sizeof(head));
	g->n = ARRAY_SIZE(head);
	g->number = BIT(R0) | BIT(R7) | BIT(R8);
	g->value = BIT(R6);
	gen_body(g, 8 + roll(g, 40), true);
	emit(g, 0xb7, R0, 0, 0, 0);
	emit(g, 0x95, 0, 0, 0, 0);
	sub = g->n;
	g->number = BIT(R1) | BIT(R2) | BIT(R3);
	g->value = 0;
	for (u32 i = 0; i < sub; i++)
		if (g->insns[i].code == 0x85 && g->insns[i].src == CALL_SUBPROG) {
			g->insns[i].imm = (s32)(sub - i - 1);
			g->far = 1;
		}
	if (!g->far || !roll(g, 4))
		g->far = 0;
	gen_body(g, 3 + roll(g, 10), false);
	emit(g, 0xb7, R0, 0, 0, (s32)roll(g, 60));
	emit(g, 0x95, 0, 0, 0, 0);
}

/* --- a machine that trusts nothing --- */

struct machine {
	struct gen *g;
	const struct proof *proof;
	u8 value[VALUE], stack[DEPTH][STACK_SIZE];
	u64 regs[DEPTH][NR_REGS], ctx[2];
	u32 back[DEPTH], frame, pc;
};

static u64 input(struct gen *g)
{
	return roll(g, 2) ? (u64)(s64)edge(g) : roll(g, 2) ? roll(g, 300) : g->seed;
}

static u8 *memory(struct machine *m, u64 addr, u32 size)
{
	u64 value = (u64)(uintptr_t)m->value, stack = (u64)(uintptr_t)m->stack;

	if (addr >= value && addr + size <= value + VALUE)
		return m->value + (addr - value);
	if (addr >= stack && addr + size <= stack + (m->frame + 1) * STACK_SIZE)
		return &m->stack[0][0] + (addr - stack);
	return NULL;
}

static void enter(struct machine *m, u32 frame)
{
	for (u32 r = 0; r < R_FP; r++)
		m->regs[frame][r] = input(m->g);
	m->regs[frame][R_FP] = (u64)(uintptr_t)(m->stack[frame] + STACK_SIZE);
	m->frame = frame;
}

static const char *do_load(struct machine *m, const struct insn *in, u32 size)
{
	u64 *r = m->regs[m->frame], num = 0;
	u8 *at = memory(m, r[in->src] + (u64)(s64)in->off, size);

	if (r[in->src] == 1) /* the context */
		num = m->ctx[in->off == 16];
	else if (!at)
		return "a load outside of memory";
	else
		memcpy(&num, at, size);
	r[in->dst] = num;
	return NULL;
}

static const char *do_store(struct machine *m, const struct insn *in, u32 size, u64 num)
{
	u8 *at = memory(m, m->regs[m->frame][in->dst] + (u64)(s64)in->off, size);

	if (!at)
		return "a store outside of memory";
	memcpy(at, &num, size);
	return NULL;
}

static void do_call(struct machine *m, const struct insn *in)
{
	u64 *r = m->regs[m->frame];

	if (in->src == CALL_SUBPROG) {
		m->back[m->frame] = m->pc;
		enter(m, m->frame + 1);
		memcpy(&m->regs[m->frame][R1], &r[R1], 5 * sizeof(*r));
		m->pc += (u32)in->imm;
		return;
	}
	for (u32 i = R1; i <= R5; i++)
		r[i] = input(m->g);
	r[R0] = in->imm == 1 ? (u64)(uintptr_t)m->value : (u32)input(m->g);
}

static const char *do_jump(struct machine *m, const struct insn *in,
			   const struct isa_info *info, u64 b, s8 proved)
{
	bool taken = isa_cond((enum isa_cond)info->sub, info->wide,
			      m->regs[m->frame][in->dst], b);

	if (proved >= 0 && proved != taken)
		return "a branch went the way it never goes";
	if (taken)
		m->pc += (u32)(s32)in->off;
	return NULL;
}

/* One instruction. NULL: go on; "": the program ended. */
static const char *step(struct machine *m)
{
	u32 at = m->pc, op = isa_decode(&m->g->insns[at], m->g->n - at, NULL);
	const struct insn *in = &m->g->insns[at];
	const struct isa_info *info = isa_info(op);
	u64 *r = m->regs[m->frame];
	u64 b = info->src_reg ? r[in->src] : (u64)(s64)in->imm;

	if (!m->proof->at[at].reached)
		return "dead code was reached";
	m->pc += isa_slots(op);
	switch (info->kind) {
	case KIND_ALU:
		r[in->dst] = isa_alu((enum isa_alu)info->sub, info->wide, r[in->dst], b);
		return NULL;
	case KIND_LDX:
		return do_load(m, in, info->size);
	case KIND_ST:
	case KIND_STX:
		return do_store(m, in, info->size, b);
	case KIND_JMP:
		return do_jump(m, in, info, b, m->proof->at[at].branch);
	case KIND_MAY_GOTO:
		m->pc += roll(m->g, 20) ? 0 : (u32)(s32)in->off;
		return NULL;
	case KIND_JA:
		m->pc += (u32)(s32)in->off;
		return NULL;
	case KIND_CALL:
		do_call(m, in);
		return NULL;
	case KIND_EXIT:
		if (!m->frame)
			return "";
		m->pc = m->back[--m->frame];
		m->regs[m->frame][R0] = r[R0];
		return NULL;
	default:
		return NULL;
	}
}

static const char *run(struct machine *m, struct gen *g, const struct proof *proof)
{
	*m = (struct machine){.g = g, .proof = proof, .ctx = {(u32)input(g), (u32)input(g)}};
	for (u32 i = 0; i < VALUE; i++)
		m->value[i] = (u8)input(g);
	for (u32 i = 0; i < sizeof(m->stack); i++)
		(&m->stack[0][0])[i] = (u8)g->seed + (u8)i;
	enter(m, 0);
	m->regs[0][R1] = 1;
	for (u32 i = 0; i < MAX_RUN; i++) {
		const char *wrong = step(m);

		if (wrong)
			return wrong[0] ? wrong : NULL;
	}
	return "the program does not end";
}

/* --- the tests --- */

/* The verdict, which is "do not know" when the budget ended it. */
static bool decided(const struct verified *v)
{
	return v->why.rule != RULE_BUDGET && v->why.rule != RULE_TOO_COMPLEX;
}

static void check_pruning(struct gen *g, u64 seed, const struct verified *v)
{
	static const struct verify_opts off = {.test_prune_off = true, .max_insns = BUDGET};
	struct verified all;

	verify_insns(&all, g->insns, g->n, &off);
	if (!v->err && all.err && decided(&all) && all.why.rule != RULE_STACK_FILL)
		test_fail(__FILE__, __LINE__, "seed %llu: pruned away: %s",
			  (unsigned long long)seed, log_text(&all.log));
	if (v->err && decided(v) && !all.err)
		test_fail(__FILE__, __LINE__, "seed %llu: refused only with pruning: %s",
			  (unsigned long long)seed, log_text(&v->log));
	verify_done(&all);
}

TEST(verify_random_programs_do_what_was_proved)
{
	static const struct verify_opts some = {.max_insns = BUDGET},
					all = {.max_insns = BUDGET, .test_state_freq = true};
	static struct gen g;
	static struct machine m;
	u32 accepted = 0;

	for (u64 seed = 1; seed <= PROGRAMS; seed++) {
		struct verified v;

		g.seed = seed * 0x9e3779b97f4a7c15ull;
		generate(&g);
		verify_insns(&v, g.insns, g.n, seed & 1 ? &some : &all);
		for (u32 i = 0; !v.err && i < RUNS; i++) {
			const char *wrong = run(&m, &g, v.proof);

			if (wrong)
				test_fail(__FILE__, __LINE__, "seed %llu: %s at %u",
					  (unsigned long long)seed, wrong, m.pc);
		}
		check_pruning(&g, seed, &v);
		accepted += !v.err;
		verify_done(&v);
	}
	CHECK(accepted > PROGRAMS / 20);
}
