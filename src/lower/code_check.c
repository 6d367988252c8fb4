/* SPDX-License-Identifier: MIT
 *
 * code_check.c: what the interpreter takes for granted: known ops, registers that exist,
 * jumps and calls that land inside, functions that are there, no end to fall off.
 */
#include "lower/code.h"

static const char *const names[NR_CODE_OPS - NR_OPS] = {
#define CODE_OP(name, ...) [CODE_##name - NR_OPS] = #name,
#include "lower/code.def"
};

const char *code_op_name(u32 op)
{
	if (op < NR_OPS)
		return isa_info((enum isa_op)op)->name;
	return op < NR_CODE_OPS ? names[op - NR_OPS] : "?";
}

/* Ops of the ISA that lower() replaces by others. */
static bool is_replaced(u32 op)
{
	if (op >= NR_OPS)
		return false;
	switch (isa_info((enum isa_op)op)->kind) {
	case KIND_LD_IMM64:
		return op != OP_LD_IMM64;
	case KIND_CALL:
		return op != OP_CALL_SUBPROG;
	case KIND_JA:
		return op != OP_JA;
	case KIND_CAST:
	case KIND_LD_ABS:
	case KIND_CALLX:
		return true;
	default:
		return op == OP_BAD;
	}
}

bool code_jumps(u32 op)
{
	enum isa_kind kind;

	if (op >= NR_OPS)
		return op == CODE_IF_ENDING || op == CODE_CATCH || op == CODE_TURN;
	kind = isa_info((enum isa_op)op)->kind;
	return kind == KIND_JMP || kind == KIND_JA || kind == KIND_MAY_GOTO;
}

static bool needs_ptr(u32 op)
{
	return (op >= CODE_CALL && op <= CODE_CALL_S32) || op == CODE_PUT ||
	       op == CODE_TAIL_CALL || op == CODE_IN_REGION || op == CODE_HOLD ||
	       op == CODE_DROP || op == CODE_KEEP;
}

static const char *insn_check(const struct code *code, u32 at)
{
	const struct code_insn *insn = &code->insns[at];
	s64 target = (s64)at + 1 + insn->off;

	if (insn->op >= NR_CODE_OPS || is_replaced(insn->op))
		return "an operation that cannot run";
	if (insn->dst >= NR_CODE_REGS || insn->src >= NR_CODE_REGS)
		return "no such register";
	if ((code_jumps(insn->op) || insn->op == OP_CALL_SUBPROG) &&
	    (target < 0 || target >= code->ninsns))
		return "jump out of range";
	if (needs_ptr(insn->op) && !insn->ptr)
		return "a call to nowhere";
	return NULL;
}

const char *code_check(const struct code *code, u32 *at)
{
	const struct code_insn *last;

	for (*at = 0; *at < code->ninsns; (*at)++) {
		const char *wrong = insn_check(code, *at);

		if (wrong)
			return wrong;
	}
	if (!code->ninsns)
		return "no instructions";
	last = &code->insns[code->ninsns - 1];
	*at = code->ninsns - 1;
	if (last->op != OP_EXIT && last->op != OP_JA)
		return "the last instruction is not an exit or jump";
	return NULL;
}
