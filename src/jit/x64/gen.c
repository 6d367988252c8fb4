/* SPDX-License-Identifier: MIT
 *
 * gen.c: code to x86-64 machine code, in two passes over the same functions. The first
 * writes every forward jump long and notes where each instruction came to lie; the second
 * writes them short where the first one's distances, which can only shrink, allow. The
 * result of the first pass is overwritten.
 */
#include "base/atomic.h"
#include "jit/x64/gen.h"

#include <cpuid.h>

const u8 gen_regs[NR_CODE_REGS] = {
	[R0] = RAX,   [R1] = RDI,   [R2] = RSI,	  [R3] = RDX,	[R4] = RCX,   [R5] = REG8,
	[R6] = RBX,   [R7] = REG13, [R8] = REG14, [R9] = REG15, [R_FP] = RBP,
	[CODE_SCRATCH] = T2,
};

/* Ops after lower() that are no calls. */
static bool gen_code_op(struct gen *g, const struct code_insn *insn)
{
	u8 dst = gen_reg(insn->dst);

	switch (insn->op) {
	case CODE_BOOL:
		x64_rr(&g->x, X64_TEST_BYTE_MR, false, dst, dst);
		x64_setcc(&g->x, CC_NE, dst);
		x64_rr(&g->x, X64_MOVZX8, false, dst, dst);
		return true;
	case CODE_CPU:
		x64_rm(&g->x, X64_MOV_RM, false, dst, x64_at(SLOT, g->rt->index));
		return true;
	case CODE_KPTR_XCHG:
		gen_mov_reg(g, true, RAX, gen_reg(R2));
		x64_rm(&g->x, X64_XCHG, true, RAX, x64_at(gen_reg(R1), 0));
		return true;
	}
	if (insn->op >= CODE_ARENA_USER && insn->op <= CODE_ARENA_ATOMIC)
		return g->rt->safe_loads && gen_arena(g, insn);
	if (gen_query(g, insn) || gen_end(g, insn))
		return true;
	if (insn->op < CODE_SAFE_LDX8 || insn->op > CODE_SAFE_LDXS32)
		return gen_call(g, insn);
	if (!g->rt->safe_loads)
		return false;
	gen_safe_load(g, insn);
	return true;
}

static bool gen_isa_op(struct gen *g, const struct code_insn *insn)
{
	const struct isa_info *info = isa_info((enum isa_op)insn->op);

	switch (info->kind) {
	case KIND_ALU:
		gen_alu(g, insn);
		return true;
	case KIND_LD_IMM64:
		x64_mov_imm(&g->x, gen_reg(insn->dst), (u64)insn->imm);
		return true;
	case KIND_LDX:
	case KIND_LOAD_ACQ: /* every load of this machine acquires, every store releases */
		gen_load(g, insn, info->size, info->sign);
		return true;
	case KIND_ST:
	case KIND_STX:
	case KIND_STORE_REL:
		gen_store(g, insn, info->size, info->kind == KIND_ST);
		return true;
	case KIND_ATOMIC:
		gen_atomic(g, insn, info);
		return true;
	case KIND_JMP:
		gen_jmp(g, insn);
		return true;
	case KIND_JA:
		gen_goto(g, g->at + 1 + (u32)insn->off);
		return true;
	case KIND_MAY_GOTO:
		gen_may_goto(g, insn);
		return true;
	case KIND_CALL:
		return gen_call(g, insn);
	case KIND_EXIT:
		gen_exit(g);
		return true;
	default:
		return false;
	}
}

/* Whether all it does is to write a register that nobody reads: the map of a lookup that
 * became an address, for one. */
static bool is_useless(const struct gen *g, const struct code_insn *insn)
{
	enum isa_kind kind;

	if (insn->op >= NR_OPS || plan_live(g->plan, g->at) & BIT(insn->dst))
		return false;
	kind = isa_info((enum isa_op)insn->op)->kind;
	return kind == KIND_ALU || kind == KIND_LD_IMM64;
}

static int gen_insn(struct gen *g)
{
	const struct code_insn *insn = &g->code->insns[g->at];
	bool done;

	g->next = g->at + 1;
	if (is_useless(g, insn) || gen_fuse(g, insn))
		return 0;
	done = insn->op < NR_OPS ? gen_isa_op(g, insn) : gen_code_op(g, insn);
	if (done)
		return 0;
	return log_fail(g->log, -ENOTSUP, "%s has no native form here",
			code_op_name(insn->op));
}

/*
 * The head of a short loop does not lie at the end of 16 bytes, which are decoded at once. The
 * first pass makes as much room as there will ever be, as its distances may only shrink.
 */
static void align_loop(struct gen *g)
{
	enum { ALIGN = 16, MOST = 7 };
	u32 pad = (u32)-(uintptr_t)g->x.at % ALIGN;

	if (!(g->plan->flags.v[g->at] & PLAN_TIGHT))
		return;
	if (!g->last_pass)
		x64_nops(&g->x, MOST);
	else if (pad <= MOST)
		x64_nops(&g->x, pad);
}

static int gen_sub(struct gen *g, u32 i)
{
	g->sub = &g->plan->subs.v[i];
	gen_frame_begin(g, i);
	if (g->sub->callback && i)
		gen_callback_entry(g, i);
	else
		g->out->callback[i] = 0;
	g->entry.v[i] = gen_off(g, g->x.at);
	gen_prologue(g);
	gen_frame_body(g, i);
	for (g->at = g->sub->start; g->at < g->sub->end; g->at = g->next) {
		align_loop(g);
		g->out->insn_at[g->at] = gen_off(g, g->x.at);
		TRY(gen_insn(g));
	}
	gen_stubs(g);
	gen_frame_end(g, i);
	return 0;
}

static int gen_pass(struct gen *g, u8 *start, u32 nfixes)
{
	g->x.at = start;
	g->jumps.n = g->stubs.n = g->calls.n = g->first_stub = 0;
	g->out->fixes.n = nfixes;
	for (u32 i = 0; i < g->plan->subs.n; i++)
		if (g->plan->subs.v[i].start < g->plan->subs.v[i].end)
			TRY(gen_sub(g, i));
	g->out->insn_at[g->code->ninsns] = gen_off(g, g->x.at);
	if (g->x.full)
		return log_fail(g->log, -ENOSPC, "native code is longer than expected");
	if (g->oom)
		return log_fail(g->log, -ENOMEM, "out of memory");
	return 0;
}

static int gen_passes(struct gen *g)
{
	u8 *start = g->out->at;
	u32 nfixes = g->out->fixes.n;

	TRY(gen_pass(g, start, nfixes));
	g->last_pass = true;
	TRY(gen_pass(g, start, nfixes));
	gen_fix_jumps(g);
	if (g->wrong)
		return log_fail(g->log, -ENOTSUP, "a jump of native code is out of reach");
	g->out->at = g->x.at;
	return 0;
}

/* Which compilers' own tests of the processor do not know. The instruction that asks leaves a
 * virtual machine, which takes microseconds: it is asked once, whoever comes first. */
static bool has_movbe(void)
{
	static atomic(u32) known; /* 1 + the answer */
	u32 answer = atomic_load_explicit(&known, memory_order_relaxed);
	u32 a, b, c = 0, d;

	if (!answer) {
		answer = 1 + (__get_cpuid(1, &a, &b, &c, &d) && c & bit_MOVBE);
		atomic_store_explicit(&known, answer, memory_order_relaxed);
	}
	return answer == 2;
}

int jit_generate(const struct jit_rt *rt, struct log *log, const struct plan *plan,
		 struct jit_out *out)
{
	struct gen g = {
		.x = {.start = out->at, .at = out->at, .end = out->end},
		.rt = rt,
		.log = log,
		.plan = plan,
		.code = plan->code,
		.out = out,
		.bmi2 = __builtin_cpu_supports("bmi2"),
		.avx = __builtin_cpu_supports("avx"),
		.popcnt = __builtin_cpu_supports("popcnt"),
		.movbe = has_movbe(),
	};
	int err = vec_reserve(&g.entry, plan->subs.n) ? gen_passes(&g) : -ENOMEM;

	vec_free(&g.jumps);
	vec_free(&g.stubs);
	vec_free(&g.stub_at);
	vec_free(&g.calls);
	vec_free(&g.entry);
	return err;
}
