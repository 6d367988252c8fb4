/* SPDX-License-Identifier: MIT
 *
 * plan.c: jump targets, loops, liveness, subprograms. Nothing here knows the machine.
 *
 * Liveness is the usual backward analysis on bits of registers, going through the code
 * from its end until nothing changes: twice for most programs, once more for each level
 * of nested loops. The frame pointer is not in it: it is always alive.
 */
#include "jit/plan.h"
#include "isa/table.h"

enum {
	ARGS = BIT(R1) | BIT(R2) | BIT(R3) | BIT(R4) | BIT(R5),
	CLOBBERED = ARGS | BIT(R0),
};

/* --- what an instruction reads and writes --- */

static u16 args_of(const struct code_insn *insn)
{
	return insn->src ? (u16)((BIT(insn->src) - 1) & ~1u) & ARGS : ARGS;
}

/* What is told to the runtime, and changes no register of the program's. */
static bool is_told(u32 op)
{
	return op == CODE_TURN || op == CODE_HOLD || op == CODE_DROP || op == CODE_LEAVE ||
	       op == CODE_KEEP;
}

static u16 code_reads(const struct code_insn *insn)
{
	switch (insn->op) {
	case CODE_PUT:
		return BIT(R1);
	case CODE_KPTR_XCHG:
		return BIT(R1) | BIT(R2);
	case CODE_TAIL_CALL:
		return BIT(R1) | BIT(R2) | BIT(R3);
	case CODE_CPU:
	case CODE_IF_ENDING:
	case CODE_CATCH:
	case CODE_TURN:
		return 0;
	case CODE_HOLD:
	case CODE_DROP:
	case CODE_KEEP:
		return (u16)BIT(insn->src);
	case CODE_LEAVE:
		return BIT(R_FP);
	case CODE_THROW:
		return BIT(R1);
	case CODE_IN_REGION:
		return (u16)BIT(insn->dst);
	case CODE_STORE_USER:
		return (u16)(BIT(insn->dst) | BIT(insn->src));
	case CODE_BOOL:
		return (u16)BIT(insn->dst);
	case CODE_ARENA_USER:
		return (u16)BIT(insn->src);
	case CODE_ARENA_ATOMIC:
		return (u16)(BIT(insn->dst) | BIT(insn->src) |
			     (isa_rows[insn->imm].operands & IN_R0 ? BIT(R0) : 0));
	default:
		if (insn->op >= CODE_ARENA_LDX8 && insn->op <= CODE_ARENA_LDX64)
			return (u16)BIT(insn->src);
		if (insn->op >= CODE_ARENA_STX8 && insn->op <= CODE_ARENA_STX64)
			return (u16)(BIT(insn->dst) | BIT(insn->src));
		if (insn->op >= CODE_SAFE_LDX8 && insn->op <= CODE_SAFE_LDXS32)
			return (u16)BIT(insn->src);
		return args_of(insn);
	}
}

static u16 code_writes(const struct code_insn *insn)
{
	if (insn->op == CODE_STORE_USER || insn->op == CODE_THROW || is_told(insn->op) ||
	    insn->op == CODE_IF_ENDING)
		return 0;
	if (insn->op == CODE_CATCH)
		return BIT(R1);
	if (insn->op >= CODE_ARENA_STX8 && insn->op <= CODE_ARENA_STX64)
		return 0;
	if (insn->op >= CODE_ARENA_USER && insn->op <= CODE_ARENA_LDX64)
		return (u16)BIT(insn->dst);
	if (insn->op == CODE_ARENA_ATOMIC)
		return (u16)((isa_rows[insn->imm].operands & OUT_SRC ? BIT(insn->src) : 0) |
			     (isa_rows[insn->imm].operands & OUT_R0 ? BIT(R0) : 0));
	if (insn->op == CODE_BOOL || insn->op == CODE_CPU || insn->op == CODE_IN_REGION ||
	    (insn->op >= CODE_SAFE_LDX8 && insn->op <= CODE_SAFE_LDXS32))
		return (u16)BIT(insn->dst);
	return insn->op == CODE_KPTR_XCHG ? BIT(R0) : CLOBBERED;
}

u16 plan_reads(const struct code_insn *insn)
{
	u16 ops, mask = 0;

	if (insn->op >= NR_OPS)
		return code_reads(insn);
	ops = isa_rows[insn->op].operands;
	if (ops & IN_DST)
		mask |= (u16)BIT(insn->dst);
	if (ops & IN_SRC)
		mask |= (u16)BIT(insn->src);
	if (ops & IN_R0)
		mask |= BIT(R0);
	/* What was not verified (tests, conformance) may read more than arguments there. */
	if (ops & IN_ARGS)
		mask |= ARGS | BIT(R0) | BIT(R6) | BIT(R7) | BIT(R8) | BIT(R9);
	return mask;
}

u16 plan_writes(const struct code_insn *insn)
{
	u16 ops, mask = 0;

	if (insn->op >= NR_OPS)
		return code_writes(insn);
	ops = isa_rows[insn->op].operands;
	if (ops & OUT_DST)
		mask |= (u16)BIT(insn->dst);
	if (ops & OUT_SRC)
		mask |= (u16)BIT(insn->src);
	if (ops & OUT_R0)
		mask |= BIT(R0);
	if (ops & OUT_ARGS)
		mask |= ARGS;
	return mask;
}

/* --- subprograms --- */

static bool add_subs(struct plan *p)
{
	const struct code *code = p->code;

	p->subs.n = 0;
	if (!vec_reserve(&p->subs, code->nsubprogs))
		return false;
	for (u32 i = 0; i < code->nsubprogs; i++) {
		u32 end = i + 1 < code->nsubprogs ? code->entry[i + 1] : code->ninsns;

		p->subs.v[i] = (struct plan_sub){.start = code->entry[i], .end = end};
	}
	p->subs.n = code->nsubprogs;
	return true;
}

static bool is_call(u32 op)
{
	return op == OP_CALL_SUBPROG || op == CODE_PUT || is_told(op) || op == CODE_TAIL_CALL ||
	       op == CODE_IN_REGION || op == CODE_STORE_USER ||
	       (op >= CODE_CALL && op <= CODE_CALL_S32);
}

static bool uses_slot(u32 op)
{
	return op == OP_MAY_GOTO || op == CODE_THROW || op == CODE_IF_ENDING ||
	       op == CODE_CATCH || is_told(op) || op == CODE_CPU ||
	       op == CODE_STORE_USER || op == CODE_PUT || op == CODE_TAIL_CALL ||
	       (op >= CODE_SAFE_LDX8 && op <= CODE_SAFE_LDXS32) ||
	       (op >= CODE_ARENA_LDX8 && op <= CODE_ARENA_ATOMIC);
}

static void note_address(struct plan *p, const void *ptr)
{
	const struct code_func *funcs = p->code->funcs;
	size_t off = (size_t)((const char *)ptr - (const char *)funcs);

	if (off < p->code->nsubprogs * sizeof(funcs[0]))
		p->subs.v[off / sizeof(funcs[0])].callback = true;
}

/* Loops inside that end later do not count: these are no nested ones. */
static bool is_tight(const struct plan *p, u32 head, u32 end)
{
	enum { SHORT = 32 };

	for (u32 at = head + 1; at <= end && end - head < SHORT; at++)
		if (p->flags.v[at] & PLAN_LOOP)
			return false;
	return end - head < SHORT;
}

/* Of several jumps back to a place, the last one decides. */
static void mark_jump(struct plan *p, u32 at)
{
	u32 target = at + 1 + (u32)p->code->insns[at].off;
	u8 *flags = &p->flags.v[target];

	*flags |= PLAN_TARGET;
	if (target > at)
		return;
	*flags &= (u8)~PLAN_TIGHT;
	*flags |= is_tight(p, target, at) ? PLAN_LOOP | PLAN_TIGHT : PLAN_LOOP;
}

static bool is_number(const struct code_insn *insn)
{
	return insn->op == OP_LD_IMM64 || insn->op == OP_MOV64_IMM || insn->op == OP_MOV32_IMM;
}

bool plan_const(const struct plan *p, const struct plan_sub *sub, u32 reg, u64 *number)
{
	u16 given = sub == p->subs.v ? BIT(R1) : ARGS; /* by the caller */
	const struct code_insn *insn = &p->code->insns[sub->number[reg]];

	if (!(sub->once & ~sub->often & ~given & BIT(reg)) || sub->number[reg] < sub->start ||
	    !is_number(insn) || insn->dst != reg)
		return false;
	*number = insn->op == OP_MOV32_IMM ? (u32)insn->imm : (u64)insn->imm;
	return true;
}

static void mark_insn(struct plan *p, struct plan_sub *sub, u32 at)
{
	const struct code_insn *insn = &p->code->insns[at];

	u16 writes = plan_writes(insn);

	sub->used |= plan_reads(insn) | writes;
	sub->often |= sub->once & writes;
	sub->once |= writes;
	sub->calls |= is_call(insn->op);
	p->needs_slot |= uses_slot(insn->op);
	if (is_number(insn))
		sub->number[insn->dst] = at;
	if (code_jumps(insn->op))
		mark_jump(p, at);
	else if (insn->op == OP_LD_IMM64)
		note_address(p, insn->ptr);
}

/* --- liveness --- */

static u16 live_at(const struct plan *p, u32 at)
{
	const struct code_insn *insn = &p->code->insns[at];

	return (u16)((p->live.v[at] & ~plan_writes(insn)) | plan_reads(insn));
}

static u16 live_after(const struct plan *p, const struct plan_sub *sub, u32 at, u16 next)
{
	const struct code_insn *insn = &p->code->insns[at];

	if (insn->op == OP_EXIT)
		return 0;
	if (!code_jumps(insn->op))
		return next;
	next = insn->op == OP_JA ? 0 : next;
	return next | live_at(p, at + 1 + (u32)insn->off);
}

static bool live_round(struct plan *p, const struct plan_sub *sub)
{
	bool changed = false;
	u16 next = 0;

	for (u32 at = sub->end; at-- > sub->start;) {
		u16 after = live_after(p, sub, at, next);

		changed |= after != p->live.v[at];
		p->live.v[at] = after;
		next = live_at(p, at);
	}
	return changed;
}

/* A subprogram without jumps backwards is done after the first round. */
static void live_sub(struct plan *p, const struct plan_sub *sub)
{
	bool loops = false;

	for (u32 at = sub->start; at < sub->end; at++)
		loops |= (p->flags.v[at] & PLAN_LOOP) != 0;
	while (live_round(p, sub) && loops)
		;
}

/* --- all --- */

bool plan_make(struct plan *p, const struct code *code)
{
	p->code = code;
	p->needs_slot = false;
	p->flags.n = p->live.n = 0;
	if (!add_subs(p) || !vec_reserve(&p->flags, code->ninsns + 1) ||
	    !vec_reserve(&p->live, code->ninsns + 1))
		return false;
	memset(p->flags.v, 0, code->ninsns + 1);
	memset(p->live.v, 0, (code->ninsns + 1) * sizeof(p->live.v[0]));
	p->flags.n = p->live.n = code->ninsns;
	for (u32 i = 0; i < p->subs.n; i++)
		for (u32 at = p->subs.v[i].start; at < p->subs.v[i].end; at++)
			mark_insn(p, &p->subs.v[i], at);
	for (u32 i = 0; i < p->subs.n; i++)
		live_sub(p, &p->subs.v[i]);
	return true;
}

void plan_free(struct plan *p)
{
	vec_free(&p->flags);
	vec_free(&p->live);
	vec_free(&p->subs);
}
