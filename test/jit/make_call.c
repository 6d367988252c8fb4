/* SPDX-License-Identifier: MIT
 *
 * make_call.c: calls of functions, subprograms, callbacks; tail calls, exchanges.
 */
#include "jit/make.h"

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

void make_call(struct gen *g)
{
	static const struct {
		u64 (*fn)(u64, u64, u64, u64, u64);
		u32 args;
	} fns[] = {{fn0, 1}, {fn2, 3}, {fn5, 6}, {fn5, 0}, {fn2, 0}};
	u32 i = make_below(g, ARRAY_SIZE(fns));

	if (g->reserved & (BIT(R0) | 0x3e))
		return;
	make_emit_kept(g, CODE_CALL + make_below(g, 8), 0, fns[i].args, 0,
		  (s64)(uintptr_t)fns[i].fn);
	make_set_args(g);
}

/* A jump to the end of the subprogram. */
void make_leave(struct gen *g, u32 op)
{
	g->leaves[g->nleaves++] = g->n;
	make_emit_kept(g, op, 0, 0, 0, 0);
}

void make_turn(struct gen *g)
{
	if (g->metered && g->nleaves < ARRAY_SIZE(g->leaves))
		make_leave(g, CODE_TURN);
}

void make_call_sub(struct gen *g)
{
	u32 to = g->sub + 1;

	if (g->reserved & (BIT(R0) | 0x3e) || to >= g->nsubs ||
	    g->nleaves == ARRAY_SIZE(g->leaves))
		return;
	if (g->plain || make_chance(g, 70)) { /* the target's number stands in off until it is known */
		make_emit_kept(g, OP_CALL_SUBPROG, 0, 0, (s32)to, g->frame[g->sub]);
	} else {
		make_emit_kept(g, OP_LD_IMM64, R1, 0, 0, (s64)(uintptr_t)&g->funcs[to]);
		make_emit_kept(g, CODE_CALL, 0, make_chance(g, 50) ? 4 : 0, 0, (s64)(uintptr_t)fn_back);
	}
	if (!g->plain)
		make_leave(g, CODE_IF_ENDING);
	make_set_args(g);
}

const struct code *make_tail_target; /* of this run */

static const struct code *tail(void *table, u64 index)
{
	return index % 3 ? make_tail_target : NULL;
}

void make_tail_call(struct gen *g)
{
	if (g->reserved & (BIT(R0) | 0x3e))
		return;
	make_emit_kept(g, OP_MOV64_IMM, R3, 0, 0, make_below(g, 4));
	make_emit_kept(g, CODE_TAIL_CALL, 0, 4, 0, (s64)(uintptr_t)tail);
	make_set_args(g);
}

void make_exchange(struct gen *g)
{
	if (g->reserved & (BIT(R0) | 0x3e))
		return;
	make_emit_kept(g, OP_MOV64_REG, R1, g->hold, 0, 0);
	make_emit_kept(g, OP_ADD64_IMM, R1, 0, 0, 8 * (s32)make_below(g, 16));
	make_emit_kept(g, CODE_KPTR_XCHG, 0, 0, 0, 0);
	make_set_args(g);
}
