/* SPDX-License-Identifier: MIT
 *
 * lower.c: proof in, code out. One pass over the instructions:
 *
 *	dead ones disappear; each other one becomes zero or more code instructions
 *	(lower_mem.c: memory, lower_call.c: calls; the rest here); then jumps, which until
 *	then carry the target as an instruction of the program, are aimed at what it became
 *
 * Invariants: `where[i]` of a dead instruction is where the next live one begins, so that
 * every jump has a target. The result has passed code_check(): an assumed proof (tests,
 * conformance) can be wrong, and then the answer is -EINVAL, not a crash.
 */
#include "lower/code.h"
#include "base/arena.h"

#include <stdarg.h>

void lower_emit(struct lower *l, struct code_insn insn)
{
	if (!vec_push(&l->insns, insn) || !vec_push(&l->origin, l->at))
		l->oom = true;
}

int lower_fail(struct lower *l, int err, const char *fmt, ...)
{
	char words[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	return log_fail(l->log, err, "%s: program '%s': instruction %u: %s",
			l->image->name, l->proof->prog->name, l->at, words);
}

enum isa_op lower_op_at(const struct lower *l, u32 at)
{
	const char *why;

	return isa_decode(&l->proof->insns[at], l->proof->ninsns - at, &why);
}

/* The first live instruction at or after @at. */
static u32 next_live(const struct lower *l, u32 at)
{
	while (at < l->proof->ninsns && !l->proof->at[at].reached)
		at++;
	return at;
}

/* --- where control goes --- */

static void mark(struct lower *l, s64 to)
{
	if (to >= 0 && to < l->proof->ninsns)
		l->target[to] = true;
}

/* Where an instruction jumps to, if it does. */
static s64 goes_to(const struct insn *insn, enum isa_op op, u32 at)
{
	return (s64)at + 1 + (op == OP_JAL ? insn->imm : insn->off);
}

static void mark_targets(struct lower *l)
{
	const struct image_prog *prog = l->proof->prog;
	enum isa_op op;

	for (u32 at = 0; at < l->proof->ninsns; at += isa_slots(op)) {
		op = lower_op_at(l, at);
		if (code_jumps(op))
			mark(l, goes_to(&l->proof->insns[at], op, at));
	}
	for (u32 i = 0; i < prog->nsubprogs; i++)
		mark(l, prog->subprogs[i].start);
}

bool lower_r0_dead(const struct lower *l, u32 at)
{
	enum { FAR = 16 };

	for (u32 n = 0; n < FAR && at < l->proof->ninsns; n++) {
		const struct insn *insn = &l->proof->insns[at];
		enum isa_op op = lower_op_at(l, at);

		if (op == OP_BAD || isa_reads(insn, op) & BIT(R0))
			return false;
		if (isa_writes(insn, op) & BIT(R0))
			return true;
		if (op == OP_JA || op == OP_JAL)
			at = (u32)goes_to(insn, op, at);
		else if (code_jumps(op))
			return false;
		else
			at += isa_slots(op);
	}
	return false;
}

/* --- immediates --- */

static int imm_map(struct lower *l, const struct insn *insn, u64 *imm)
{
	void *map = l->link->map ? l->link->map(l->link->data, (u32)insn->imm) : NULL;

	if (!map)
		return lower_fail(l, -ENOENT, "map %d is not there", insn->imm);
	*imm = (u64)(uintptr_t)map;
	return 0;
}

static int imm_map_value(struct lower *l, const struct insn *insn, u64 *imm)
{
	char *value = NULL;

	if (l->link->map_value)
		value = l->link->map_value(l->link->data, (u32)insn->imm);
	if (!value)
		return lower_fail(l, -ENOENT, "map %d has no values to point at",
				  insn->imm);
	*imm = (u64)(uintptr_t)(value + (u32)insn[1].imm);
	return 0;
}

static int imm_ksym(struct lower *l, const struct insn *insn, u64 *imm)
{
	const struct image_ksym *sym;
	void *var = NULL;

	if ((u32)insn->imm >= l->image->nksyms)
		return lower_fail(l, -EINVAL, "no symbol %d", insn->imm);
	sym = &l->image->ksyms[insn->imm];
	*imm = 0;
	if (!sym->found && sym->weak)
		return 0;
	if (sym->var && l->link->var)
		var = l->link->var(l->link->data, sym->var);
	if (!var)
		return lower_fail(l, -ENOENT, "the host has no variable '%s'", sym->name);
	*imm = (u64)(uintptr_t)var;
	return 0;
}

static int imm_func(struct lower *l, const struct insn *insn, u64 *imm)
{
	const struct image_prog *prog = l->proof->prog;
	s64 target = (s64)l->at + 1 + insn->imm;

	for (u32 i = 0; i < prog->nsubprogs; i++) {
		if (prog->subprogs[i].start != target)
			continue;
		*imm = (u64)(uintptr_t)&l->code->funcs[i];
		return 0;
	}
	return lower_fail(l, -EINVAL, "no subprogram starts at %lld", (long long)target);
}

static int lower_imm64(struct lower *l, const struct insn *insn, enum isa_op op)
{
	u64 imm = (u64)(u32)insn[1].imm << 32 | (u32)insn->imm;

	switch (op) {
	case OP_LD_IMM64:
		break;
	case OP_LD_MAP:
		TRY(imm_map(l, insn, &imm));
		break;
	case OP_LD_MAP_VALUE:
		TRY(imm_map_value(l, insn, &imm));
		break;
	case OP_LD_KSYM:
		TRY(imm_ksym(l, insn, &imm));
		break;
	case OP_LD_FUNC:
		TRY(imm_func(l, insn, &imm));
		break;
	default:
		return lower_fail(l, -EINVAL, "an immediate the loader left unresolved");
	}
	lower_emit(l, (struct code_insn){OP_LD_IMM64, insn->dst, .imm = (s64)imm});
	return 0;
}

/* --- jumps --- */

static int jump_target(struct lower *l, s64 off, s32 *target)
{
	s64 to = (s64)l->at + 1 + off;

	if (to < 0 || to >= l->proof->ninsns)
		return lower_fail(l, -EINVAL, "jump out of range");
	*target = (s32)to;
	return 0;
}

static int lower_goto(struct lower *l, s64 off)
{
	s32 target = 0;

	TRY(jump_target(l, off, &target));
	if (off < 0 || next_live(l, l->at + 1) != next_live(l, (u32)target))
		lower_emit(l, (struct code_insn){OP_JA, .off = target});
	return 0;
}

static int lower_jump(struct lower *l, const struct insn *insn, enum isa_op op)
{
	struct code_insn jump = {(u16)op, insn->dst, insn->src, .imm = insn->imm};
	s8 branch = l->proof->at[l->at].branch;

	if (branch == 0)
		return 0;
	if (branch == 1)
		return lower_goto(l, insn->off);
	TRY(jump_target(l, insn->off, &jump.off));
	lower_emit(l, jump);
	return 0;
}

static int lower_may_goto(struct lower *l, const struct insn *insn)
{
	struct code_insn jump = {OP_MAY_GOTO};

	TRY(jump_target(l, insn->off, &jump.off));
	lower_emit(l, jump);
	return 0;
}

/* --- the arena --- */

/* A program has one arena at most: the one that its instructions name. */
static int find_arena(struct lower *l)
{
	s64 arena = -1;

	for (u32 at = 0; at < l->proof->ninsns; at++) {
		const struct insn *insn = &l->proof->insns[at];

		if (insn->code != isa_info(OP_LD_IMM64)->code ||
		    (insn->src != IMM_MAP && insn->src != IMM_MAP_VALUE) ||
		    (u32)insn->imm >= l->image->nmaps ||
		    l->image->maps[insn->imm].type != MAP_ARENA)
			continue;
		if (arena >= 0 && arena != insn->imm)
			return lower_fail(l, -EINVAL, "a program with two arenas");
		arena = insn->imm;
	}
	if (arena >= 0 && l->link->window)
		l->code->window = l->link->window(l->link->data, (u32)arena);
	return 0;
}

static int lower_cast(struct lower *l, const struct insn *insn)
{
	enum { TO_PROGRAM = 1 };
	u16 op = insn->imm == TO_PROGRAM ? (u16)OP_MOV32_REG : (u16)CODE_ARENA_USER;

	if (!l->code->window)
		return lower_fail(l, -ENOENT, "no arena is there");
	lower_emit(l, (struct code_insn){op, insn->dst, insn->src});
	return 0;
}

/* --- one instruction --- */

static void lower_alu(struct lower *l, const struct insn *insn, enum isa_op op)
{
	lower_emit(l, (struct code_insn){(u16)op, insn->dst, insn->src, .imm = insn->imm});
}

static int lower_insn(struct lower *l, const struct insn *insn, enum isa_op op)
{
	switch (isa_info(op)->kind) {
	case KIND_ALU:
		lower_alu(l, insn, op);
		return 0;
	case KIND_LD_IMM64:
		return lower_imm64(l, insn, op);
	case KIND_JMP:
		return lower_jump(l, insn, op);
	case KIND_JA:
		return lower_goto(l, op == OP_JAL ? insn->imm : insn->off);
	case KIND_MAY_GOTO:
		return lower_may_goto(l, insn);
	case KIND_CALL:
		return lower_call(l, insn);
	case KIND_EXIT:
		lower_emit(l, (struct code_insn){OP_EXIT});
		return 0;
	case KIND_CAST:
		return lower_cast(l, insn);
	case KIND_LD_ABS:
	case KIND_CALLX:
		return lower_fail(l, -ENOTSUP, "%s is not supported", isa_info(op)->name);
	default:
		return lower_mem(l, insn, op);
	}
}

static int lower_all(struct lower *l)
{
	u32 n = l->proof->ninsns, slots, sub = 0;

	for (l->at = 0; l->at < n; l->at += slots) {
		enum isa_op op = lower_op_at(l, l->at);

		while (l->at >= l->proof->prog->subprogs[sub].end)
			lower_sub_end(l, sub++);
		slots = isa_slots(op);
		for (u32 i = 0; i < slots; i++)
			l->where[l->at + i] = l->insns.n;
		if (!l->proof->at[l->at].reached || l->at < l->skip)
			continue;
		if (op == OP_BAD)
			return lower_fail(l, -EINVAL, "not an instruction");
		lower_turn(l);
		TRY(lower_before(l, &l->proof->insns[l->at], op));
		TRY(lower_insn(l, &l->proof->insns[l->at], op));
		TRY(lower_after(l, &l->proof->insns[l->at], op));
		if (l->oom)
			return log_fail(l->log, -ENOMEM, "out of memory");
	}
	while (sub < l->code->nsubprogs)
		lower_sub_end(l, sub++);
	return l->oom ? log_fail(l->log, -ENOMEM, "out of memory") : 0;
}

/* Until now, jumps and calls hold instructions of the program in off. */
static void aim(struct lower *l)
{
	for (u32 i = 0; i < l->insns.n; i++) {
		struct code_insn *insn = &l->insns.v[i];
		enum isa_kind kind;

		l->code->budgets |= insn->op == CODE_TAIL_CALL;
		if (insn->op >= NR_OPS)
			continue;
		if (insn->src == LOWER_LOCAL) {
			insn->src = 0;
			continue;
		}
		kind = isa_info((enum isa_op)insn->op)->kind;
		l->code->budgets |= kind == KIND_MAY_GOTO;
		if (kind == KIND_JMP || kind == KIND_JA || kind == KIND_MAY_GOTO ||
		    insn->op == OP_CALL_SUBPROG)
			insn->off = (s32)(l->where[insn->off] - (i + 1));
	}
}

static int finish(struct lower *l)
{
	struct code *code = l->code;
	const char *wrong;

	aim(l);
	code->ninsns = l->insns.n;
	code->insns = arena_memdup(code->arena, l->insns.v,
				   l->insns.n * sizeof(l->insns.v[0]));
	code->origin = arena_memdup(code->arena, l->origin.v,
				    l->origin.n * sizeof(l->origin.v[0]));
	if (!code->insns || !code->origin)
		return log_fail(l->log, -ENOMEM, "out of memory");
	for (u32 i = 0; i < code->nsubprogs; i++) {
		code->entry[i] = l->where[l->proof->prog->subprogs[i].start];
		code->funcs[i] = (struct code_func){code, code->entry[i], NULL};
	}
	wrong = code_check(code, &l->at);
	if (!wrong)
		return 0;
	l->at = l->at < code->ninsns ? code->origin[l->at] : l->proof->ninsns;
	return lower_fail(l, -EINVAL, "%s", wrong);
}

static int lower_into(struct lower *l)
{
	struct code *code = l->code;
	u32 n = l->proof->prog->nsubprogs;

	code->nsubprogs = n;
	code->entry = arena_array(code->arena, n, sizeof(code->entry[0]));
	code->funcs = arena_array(code->arena, n, sizeof(code->funcs[0]));
	code->frame = arena_array(code->arena, n, sizeof(code->frame[0]));
	code->unwritten = arena_memdup(code->arena, l->proof->stack_unwritten,
				       n * sizeof(code->unwritten[0]));
	l->where = arena_array(code->arena, l->proof->ninsns, sizeof(l->where[0]));
	l->target = arena_array(code->arena, l->proof->ninsns, sizeof(l->target[0]));
	if (!code->entry || !code->funcs || !code->frame || !code->unwritten || !l->where ||
	    !l->target)
		return log_fail(l->log, -ENOMEM, "out of memory");
	mark_targets(l);
	TRY(find_arena(l));
	TRY(lower_stack(l));
	TRY(lower_end_init(l));
	TRY(lower_meter_init(l));
	TRY(lower_all(l));
	return finish(l);
}

int lower(struct log *log, const struct proof *proof, const struct link *link,
	  struct code **out)
{
	struct lower l = {.log = log, .proof = proof, .image = proof->image, .link = link};
	struct arena *arena = arena_new();
	int err;

	*out = NULL;
	l.code = arena ? arena_new_of(arena, struct code) : NULL;
	if (!l.code) {
		arena_free(arena);
		return log_fail(log, -ENOMEM, "out of memory");
	}
	l.code->arena = arena;
	err = lower_into(&l);
	vec_free(&l.insns);
	vec_free(&l.origin);
	vec_free(&l.leaves);
	if (err)
		code_free(l.code);
	else
		*out = l.code;
	return err;
}

void code_free(struct code *code)
{
	if (code)
		arena_free(code->arena);
}
