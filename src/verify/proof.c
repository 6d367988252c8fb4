/* SPDX-License-Identifier: MIT
 *
 * proof.c: the life of proofs, and proofs of bare instructions that prove nothing: tests,
 * conformance and benchmarks run instructions that no verifier saw. Only what the
 * interpreter could not survive is checked: instructions that are none, jumps to nowhere or
 * between subprograms, running off an end, writing the frame pointer.
 */
#include "base/arena.h"
#include "base/log.h"
#include "verify/verify.h"

void proof_free(struct proof *proof)
{
	if (proof)
		arena_free(proof->arena);
}

struct assuming {
	struct log *log;
	const struct image_prog *prog;
	struct proof *proof;
};

static int wrong(const struct assuming *a, u32 at, const char *why)
{
	return log_fail(a->log, -EINVAL, "%s: instruction %u: %s", a->prog->name, at, why);
}

/* @target is an instruction of @sub, and not the second half of one. */
static bool lands(const struct assuming *a, const struct image_subprog *sub, s64 target)
{
	return target >= sub->start && target < sub->end && a->proof->at[target].reached;
}

static int check_jump(const struct assuming *a, const struct image_subprog *sub, u32 at,
		      enum isa_op op)
{
	const struct insn *insn = &a->prog->insns[at];
	s64 target = (s64)at + 1;

	switch (isa_info(op)->kind) {
	case KIND_JMP:
	case KIND_MAY_GOTO:
		target += insn->off;
		break;
	case KIND_JA:
		target += op == OP_JAL ? insn->imm : insn->off;
		break;
	case KIND_CALL:
	case KIND_LD_IMM64:
		if (op != OP_CALL_SUBPROG && op != OP_LD_FUNC)
			return 0;
		target += insn->imm;
		if (target >= 0 && target < a->prog->ninsns && a->proof->at[target].reached)
			return 0;
		return wrong(a, at, "no subprogram starts there");
	default:
		return 0;
	}
	return lands(a, sub, target) ? 0 : wrong(a, at, "jump out of range");
}

static int check_insn(const struct assuming *a, u32 at)
{
	const struct image_subprog *sub = image_subprog_of(a->prog, at);
	const char *why = "not an instruction";
	enum isa_op op = isa_decode(&a->prog->insns[at], a->prog->ninsns - at, &why);
	enum isa_kind kind = isa_info(op)->kind;
	bool ends = kind == KIND_EXIT || kind == KIND_JA;

	if (op == OP_BAD)
		return wrong(a, at, why);
	if (isa_writes(&a->prog->insns[at], op) & BIT(R_FP))
		return wrong(a, at, "frame pointer is read only");
	if (at + isa_slots(op) >= sub->end && !ends)
		return wrong(a, at, "last insn is not an exit or jmp");
	return check_jump(a, sub, at, op);
}

/* Which instructions are one, and not the second half of one. */
static void mark_insns(const struct assuming *a)
{
	const struct image_prog *prog = a->prog;
	u32 slots;

	for (u32 at = 0; at < prog->ninsns; at += slots) {
		const char *why;

		slots = isa_slots(isa_decode(&prog->insns[at], prog->ninsns - at, &why));
		a->proof->at[at] = (struct proof_insn){.reached = true, .access = ACCESS_PLAIN,
						       .branch = -1, .zext = true, .map = -1};
	}
}

static int assume(const struct assuming *a)
{
	struct proof *proof = a->proof;

	mark_insns(a);
	for (u32 at = 0; at < a->prog->ninsns; at++)
		if (proof->at[at].reached)
			TRY(check_insn(a, at));
	for (u32 i = 0; i < a->prog->nsubprogs; i++)
		proof->stack_depth[i] = STACK_SIZE, proof->stack_unwritten[i] = UINT64_MAX;
	proof->max_stack = a->prog->nsubprogs * STACK_SIZE;
	return 0;
}

int proof_assume(struct log *log, const struct image *image, const struct image_prog *prog,
		 struct proof **out)
{
	struct arena *arena = arena_new();
	struct proof *proof = arena ? arena_new_of(arena, struct proof) : NULL;
	struct assuming a = {.log = log, .prog = prog, .proof = proof};
	int err = -ENOMEM;

	*out = NULL;
	if (proof) {
		proof->arena = arena;
		proof->image = image;
		proof->prog = prog;
		proof->insns = prog->insns;
		proof->ninsns = prog->ninsns;
		proof->at = arena_array(arena, prog->ninsns, sizeof(proof->at[0]));
		proof->stack_depth =
			arena_array(arena, prog->nsubprogs, sizeof(proof->stack_depth[0]));
		proof->stack_unwritten = arena_array(arena, prog->nsubprogs,
						     sizeof(proof->stack_unwritten[0]));
		if (proof->at && proof->stack_depth && proof->stack_unwritten)
			err = assume(&a);
	}
	if (err == -ENOMEM)
		log_fail(log, err, "%s: out of memory", prog->name);
	if (err)
		arena_free(arena);
	else
		*out = proof;
	return err;
}
