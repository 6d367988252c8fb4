/* SPDX-License-Identifier: MIT
 *
 * blind.c: code without the numbers that its author chose.
 *
 * Who writes a program picks its constants, and native code would hold them as they are:
 * bytes at addresses that can be executed, for an attack that found some other way to jump
 * there. Here each becomes two numbers that nobody can foretell, put together when they
 * are needed:
 *
 *	r1 += 0x3c909090     scratch = 0x3c909090 ^ k; scratch ^= k; r1 += scratch
 *
 * Left alone: numbers of one signed byte, offsets of memory accesses and of jumps, and
 * addresses of subprograms. What comes out is code like any other: the interpreter runs
 * it, a generator has nothing to know of it but not to put the two halves together again
 * (test/unit/blind.c).
 */
#include "jit/jit.h"
#include "base/arena.h"
#include "isa/table.h"

#include <sys/random.h>

struct blind {
	struct code *code;
	struct plan plan;
	struct code_insn *insns;
	u32 *origin, *where; /* by new instruction; by old one: the first it became */
	u32 n;
	u16 reg_form[NR_OPS]; /* the same with a register in place of the number; OP_BAD:
				 none */
	u64 keys[32];
	u32 nkeys;
};

/* --- which, and into what --- */

static bool takes_number(const struct isa_info *info)
{
	switch (info->kind) {
	case KIND_ALU:
		return info->sub != ALU_NEG && info->sub < ALU_MOVSX8;
	case KIND_JMP:
	case KIND_ST:
		return true;
	default:
		return false;
	}
}

static bool same_meaning(const struct isa_info *a, const struct isa_info *b)
{
	if (a->kind == KIND_ST)
		return b->kind == KIND_STX && a->size == b->size;
	return a->kind == b->kind && a->sub == b->sub && a->wide == b->wide;
}

static u16 find_reg_form(u32 op)
{
	const struct isa_info *info = isa_info((enum isa_op)op), *other;

	if (info->src_reg || !takes_number(info))
		return OP_BAD;
	for (u32 i = 1; i < NR_OPS; i++) {
		other = isa_info((enum isa_op)i);
		if (same_meaning(info, other) &&
		    (other->src_reg || other->kind == KIND_STX))
			return (u16)i;
	}
	return OP_BAD;
}

static bool is_small(s64 number)
{
	return number >= INT8_MIN && number <= INT8_MAX;
}

static bool is_function(const struct code *code, u64 number)
{
	u64 start = (uintptr_t)code->funcs;

	return number >= start &&
	       number < start + code->nsubprogs * sizeof(code->funcs[0]);
}

/* --- keys --- */

/* Any number is one, 0 too: whoever knew that some are left out would know something of
 * what they hide. False: the system has none. */
static bool next_key(struct blind *b, u64 *key)
{
	if (!b->nkeys) {
		if (getrandom(b->keys, sizeof(b->keys), 0) != sizeof(b->keys))
			return false;
		b->nkeys = ARRAY_SIZE(b->keys);
	}
	*key = b->keys[--b->nkeys];
	return true;
}

/* --- writing --- */

static void emit(struct blind *b, struct code_insn insn, u32 from)
{
	b->insns[b->n] = insn;
	b->origin[b->n++] = b->code->origin ? b->code->origin[from] : from;
}

/* dst = imm, in halves. */
static bool emit_number(struct blind *b, u8 dst, s64 imm, bool wide, u32 from)
{
	u64 key;
	s32 k;

	if (!next_key(b, &key))
		return false;
	k = (s32)key;
	emit(b,
	     (struct code_insn){wide ? OP_MOV64_IMM : OP_MOV32_IMM, dst,
				.imm = (s32)imm ^ k},
	     from);
	emit(b, (struct code_insn){wide ? OP_XOR64_IMM : OP_XOR32_IMM, dst, .imm = k},
	     from);
	return true;
}

/* The same for 64 bits; both halves need a register then. */
static bool emit_wide(struct blind *b, const struct code_insn *insn, u32 from)
{
	u64 k;

	if (!next_key(b, &k))
		return false;
	emit(b, (struct code_insn){OP_LD_IMM64, insn->dst, .imm = insn->imm ^ (s64)k},
	     from);
	emit(b, (struct code_insn){OP_LD_IMM64, CODE_SCRATCH, .imm = (s64)k}, from);
	emit(b, (struct code_insn){OP_XOR64_REG, insn->dst, CODE_SCRATCH}, from);
	return true;
}

static bool emit_with_register(struct blind *b, struct code_insn insn, u32 from)
{
	const struct isa_info *info = isa_info((enum isa_op)insn.op);
	bool wide = info->wide || info->kind == KIND_ST;

	if (!emit_number(b, CODE_SCRATCH, insn.imm, wide, from))
		return false;
	insn.op = b->reg_form[insn.op];
	insn.src = CODE_SCRATCH;
	insn.imm = 0;
	emit(b, insn, from);
	return true;
}

/* Whether the scratch register holds something that is read at @at or behind it. */
static bool scratch_taken(const struct blind *b, u32 at)
{
	const struct code_insn *insn = &b->code->insns[at];

	return ((plan_live(&b->plan, at) & ~plan_writes(insn)) | plan_reads(insn)) &
	       BIT(CODE_SCRATCH);
}

static int blind_insn(struct blind *b, u32 at)
{
	const struct code_insn *insn = &b->code->insns[at];
	bool done = true, moves = insn->op == OP_MOV64_IMM || insn->op == OP_MOV32_IMM;

	b->where[at] = b->n;
	if (insn->op >= NR_OPS || (insn->op != OP_LD_IMM64 && !b->reg_form[insn->op]) ||
	    is_small(insn->imm)) {
		emit(b, *insn, at);
		return 0;
	}
	if (moves) {
		done = emit_number(b, insn->dst, insn->imm, insn->op == OP_MOV64_IMM, at);
		return done ? 0 : -EIO;
	}
	if (insn->op == OP_LD_IMM64 && is_function(b->code, (u64)insn->imm)) {
		emit(b, *insn, at);
		return 0;
	}
	/* Of lower()'s own making, a mask or an address: not a number of the program. */
	if (insn->dst == CODE_SCRATCH) {
		emit(b, *insn, at);
		return 0;
	}
	if (scratch_taken(b, at))
		return -ENOTSUP;
	done = insn->op == OP_LD_IMM64 ? emit_wide(b, insn, at)
				       : emit_with_register(b, *insn, at);
	return done ? 0 : -EIO;
}

/* --- jumps --- */

static bool has_target(u32 op)
{
	return code_jumps(op) || op == OP_CALL_SUBPROG;
}

/* What jumps is the last instruction of what one became. */
static void fix_jumps(struct blind *b)
{
	const struct code *code = b->code;

	b->where[code->ninsns] = b->n;
	for (u32 i = 0; i < code->ninsns; i++) {
		u32 at = b->where[i + 1] - 1, to = i + 1 + (u32)code->insns[i].off;

		if (has_target(code->insns[i].op))
			b->insns[at].off = (s32)b->where[to] - (s32)(at + 1);
	}
}

static void replace(struct blind *b)
{
	struct code *code = b->code;

	for (u32 i = 0; i < code->nsubprogs; i++) {
		code->entry[i] = b->where[code->entry[i]];
		code->funcs[i].entry = code->entry[i];
	}
	code->insns = b->insns;
	code->origin = b->origin;
	code->ninsns = b->n;
}

/* --- all --- */

static bool rooms(struct blind *b)
{
	struct arena *arena = b->code->arena;
	size_t n = (size_t)b->code->ninsns * JIT_BLIND_GROWTH;

	b->insns = arena_array(arena, n, sizeof(b->insns[0]));
	b->origin = arena_array(arena, n, sizeof(b->origin[0]));
	b->where = arena_array(arena, b->code->ninsns + 1, sizeof(b->where[0]));
	return b->insns && b->origin && b->where && plan_make(&b->plan, b->code);
}

static int blind_all(struct blind *b)
{
	if (!rooms(b))
		return -ENOMEM;
	for (u32 op = 1; op < NR_OPS; op++)
		b->reg_form[op] = find_reg_form(op);
	for (u32 i = 0; i < b->code->ninsns; i++)
		TRY(blind_insn(b, i));
	fix_jumps(b);
	replace(b);
	return 0;
}

int jit_blind(struct log *log, struct code *code)
{
	struct blind b = {.code = code};
	int err = blind_all(&b);

	plan_free(&b.plan);
	if (err == -EIO)
		return log_fail(
			log, err,
			"the system gives no random numbers to hide constants with");
	if (err == -ENOTSUP)
		return log_fail(log, err,
				"a constant cannot be hidden: no register is free there");
	return err ? log_fail(log, err, "out of memory") : 0;
}
