/* SPDX-License-Identifier: MIT
 *
 * lower_call.c: calls: of subprograms, helpers and functions of the host.
 *
 * C leaves the upper bits of narrow arguments and results undefined, and compilers build
 * on a bool being 0 or 1; programs promise nothing. So narrow arguments are extended before
 * the call and results after it, by the prototype in the host's BTF.
 *
 * A release of a deferred-put type (rule book J9) is not a call but a promise of one after
 * a grace period: whoever still sees the object in its read section may go on.
 */
#include "lower/code.h"
#include "abi/format.h"
#include "base/arena.h"

static int call_subprog(struct lower *l, const struct insn *insn)
{
	s64 target = (s64)l->at + 1 + insn->imm;
	const struct image_subprog *caller = image_subprog_of(l->proof->prog, l->at);

	if (lower_subprog_at(l, target) == l->code->nsubprogs || !caller)
		return lower_fail(l, -EINVAL, "no subprogram starts at %lld",
				  (long long)target);
	lower_emit(l, (struct code_insn){
		.op = OP_CALL_SUBPROG,
		.off = (s32)target,
		.imm = lower_frame_size(l, (u32)(caller - l->proof->prog->subprogs)),
	});
	lower_called(l, target);
	return 0;
}

/* --- helpers --- */

/* A number is an address in the current space, whatever its upper bits (J19). */
static void hide_space(struct lower *l)
{
	u8 passed = l->proof->at[l->at].user & (USER_PASSED | USER_UNPASSED);

	if (passed != USER_PASSED)
		lower_user_address(l, R3);
}

static bool reads_user(u32 helper)
{
	return helper == HELPER_PROBE_READ_USER || helper == HELPER_PROBE_READ_USER_STR ||
	       helper == HELPER_COPY_FROM_USER || helper == HELPER_COPY_FROM_USER_TASK;
}

/* Whose memory is read: in the flags' register, above the one that may be set. */
static int pass_owner(struct lower *l, u8 flags)
{
	u32 owner = l->proof->at[l->at].space_owner;
	void *ptr = NULL;

	if (owner && l->link->space_owner)
		ptr = l->link->space_owner(l->link->data, owner - 1);
	if (!ptr)
		return lower_fail(l, -ENOENT, "no address space of such objects");
	lower_emit(l, (struct code_insn){OP_LD_IMM64, CODE_SCRATCH, .ptr = ptr});
	lower_emit(l, (struct code_insn){OP_OR64_REG, flags, CODE_SCRATCH});
	return 0;
}

/* 1 + how many registers the helper looks at; 0: who knows. */
static u8 helper_args(const struct lower *l, u32 id)
{
	const struct abi_helper *helper = l->proof->at[l->at].helper;
	u8 n = 0;

	/* The exchange has an argument that programs do not see. */
	if (!helper || helper->id != id || id == HELPER_KPTR_XCHG)
		return 0;
	while (n < 5 && helper->args[n].kind != ARG_NONE)
		n++;
	return n + 1;
}

/* Whether an exchange is more than one instruction: then r3 says where the version of the
 * field is (H6), or 0. */
static bool exchange_calls(struct lower *l)
{
	const struct field *field = l->proof->at[l->at].field;
	s32 seq = field ? field->seq : 0;

	if (!seq && !l->link->stamps)
		return false;
	lower_emit(l, seq ? (struct code_insn){OP_MOV64_REG, R3, R1}
			  : (struct code_insn){OP_MOV64_IMM, R3});
	if (seq)
		lower_emit(l, (struct code_insn){OP_ADD64_IMM, R3, .imm = seq});
	return true;
}

/* What may be read of what is printed: in the register of a size that is known by now. */
static int pass_format(struct lower *l, u32 id)
{
	const struct format_proof *format = l->proof->at[l->at].format;
	void *copy;

	if (!format || !l->link->own_helper ||
	    !l->link->own_helper(l->link->data, l->proof->prog->type, id))
		return 0;
	copy = arena_memdup(l->code->arena, format, sizeof(*format));
	if (!copy)
		return lower_fail(l, -ENOMEM, "no memory for a format");
	lower_emit(l, (struct code_insn){
		OP_LD_IMM64, id == HELPER_SNPRINTF ? R5 : R2,
		.ptr = (void *)((uintptr_t)copy | FORMAT_KNOWN)});
	return 0;
}

static int call_helper(struct lower *l, const struct insn *insn)
{
	u32 id = (u32)insn->imm;
	const char *name;
	void *fn;

	if (id == HELPER_KPTR_XCHG && !exchange_calls(l)) {
		lower_emit(l, (struct code_insn){CODE_KPTR_XCHG});
		return 0;
	}
	for (u32 i = 0; i < 5; i++)
		if (l->proof->at[l->at].zero_args & BIT(i))
			lower_emit(l, (struct code_insn){OP_MOV64_IMM, (u8)(R1 + i)});
	if (lower_inline(l, id))
		return 0;
	if (reads_user(id))
		hide_space(l);
	if (id == HELPER_COPY_FROM_USER_TASK)
		TRY(pass_owner(l, R5));
	TRY(pass_format(l, id));
	fn = l->link->helper ? l->link->helper(l->link->data, l->proof->prog->type, id)
			     : NULL;
	if (id == HELPER_TAIL_CALL && l->code->metered)
		fn = (void *)l->link->metered_tail;
	if (fn) {
		lower_emit(l, (struct code_insn){
			id == HELPER_TAIL_CALL ? CODE_TAIL_CALL : CODE_CALL,
			.src = helper_args(l, id), .ptr = fn});
		return 0;
	}
	name = abi_helper_name(id);
	return lower_fail(l, -ENOENT, "the host has no helper %s#%u", name ? name : "", id);
}

/* --- host functions --- */

enum narrow { NARROW_NONE, N_BOOL, N_U8, N_S8, N_U16, N_S16, N_U32, N_S32 };

/* What C promises of an integer of type @id: width and sign; NARROW_NONE: all 64 bits. */
static enum narrow narrow_of(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type(btf, btf_skip_mods(btf, id));
	enum btf_kind kind = btf_kind(t);
	bool sign = kind == BTF_INT ? btf_int_signed(t) : btf_kflag(t);

	if (kind != BTF_INT && kind != BTF_ENUM)
		return NARROW_NONE;
	if (kind == BTF_INT && btf_int_bool(t))
		return N_BOOL;
	switch (t->size) {
	case 1:
		return sign ? N_S8 : N_U8;
	case 2:
		return sign ? N_S16 : N_U16;
	case 4:
		return sign ? N_S32 : N_U32;
	}
	return NARROW_NONE;
}

static const struct code_insn extend[] = {
	[N_BOOL] = {CODE_BOOL},
	[N_U8] = {OP_AND64_IMM, .imm = 0xff},
	[N_S8] = {OP_MOVSX8_64},
	[N_U16] = {OP_AND64_IMM, .imm = 0xffff},
	[N_S16] = {OP_MOVSX16_64},
	[N_U32] = {OP_MOV32_REG},
	[N_S32] = {OP_MOVSX32_64},
};

static const u16 call_returning[] = {
	[NARROW_NONE] = CODE_CALL, [N_BOOL] = CODE_CALL_BOOL,
	[N_U8] = CODE_CALL_U8,	   [N_S8] = CODE_CALL_S8,
	[N_U16] = CODE_CALL_U16,   [N_S16] = CODE_CALL_S16,
	[N_U32] = CODE_CALL_U32,   [N_S32] = CODE_CALL_S32,
};

/* r1-r5 die in the call, so they may be changed in place. */
static void extend_args(struct lower *l, const struct image_ksym *sym)
{
	const struct btf_type *proto = btf_type(sym->btf, sym->type);
	const struct btf_param *params = btf_params(proto);

	for (u32 i = 0; i < btf_vlen(proto) && i < 5; i++) {
		enum narrow n = narrow_of(sym->btf, params[i].type);
		struct code_insn insn = extend[n];

		/* Callees look at the low half of 32-bit arguments only; but what is the
		 * engine's own, the program may declare narrower than it is. */
		if (n == NARROW_NONE || (sym->kfunc->btf && (n == N_U32 || n == N_S32)))
			continue;
		insn.dst = insn.src = (u8)(R1 + i);
		lower_emit(l, insn);
	}
}

/* Registration has made sure that such a release takes nothing but the object. */
static bool is_deferred_put(const struct lower *l, const struct abi_kfunc *kfunc)
{
	const struct abi_storable *type;
	const struct btf_type *proto;

	if (!kfunc->btf || !(kfunc->flags & KF_RELEASE) || kfunc->flags & KF_CONSUME)
		return false;
	proto = btf_type(kfunc->btf, kfunc->proto);
	if (btf_vlen(proto) != 1)
		return false;
	type = abi_find_storable(l->image->abi, kfunc->btf,
				 btf_pointee(kfunc->btf, btf_params(proto)[0].type));
	return type && type->rcu == RCU_DEFERRED_PUT;
}

/* J9: what is handed to the host, which may put it at once, is kept for those who see it. Of
 * such functions one parameter is a pointer to a struct. */
static void keep_consumed(struct lower *l, const struct abi_kfunc *kfunc)
{
	const struct btf_type *proto;
	void *keep = NULL;

	if (!kfunc->btf || !(kfunc->flags & KF_CONSUME) || !l->link->keep)
		return;
	proto = btf_type(kfunc->btf, kfunc->proto);
	for (u32 i = 0; i < btf_vlen(proto) && !keep; i++) {
		u32 type = btf_pointee(kfunc->btf, btf_params(proto)[i].type);

		if (type)
			keep = l->link->keep(l->link->data, kfunc->btf, type);
		if (keep)
			lower_emit(l, (struct code_insn){CODE_KEEP, .src = (u8)(R1 + i),
							 .ptr = keep});
	}
}

/* Arguments that programs leave to us: by which register the function learns the run-time
 * type of the object, and by which the offset of the node in it. */
static const struct {
	u8 type, off;
} hidden[NR_KS] = {
	[KS_OBJ_NEW] = {R2},
	[KS_OBJ_DROP] = {R2},
	[KS_PERCPU_OBJ_NEW] = {R2},
	[KS_PERCPU_OBJ_DROP] = {R2},
	[KS_REFCOUNT_ACQUIRE] = {R2},
	[KS_LIST_PUSH_FRONT] = {R3, R4},
	[KS_LIST_PUSH_BACK] = {R3, R4},
	[KS_RBTREE_ADD] = {R4, R5},
};

/* proof_insn.type says of which struct; for lists and trees proof_insn.field is the root,
 * which says where in it the node is. */
static int hidden_args(struct lower *l, u32 special)
{
	const struct proof_insn *at = &l->proof->at[l->at];
	u8 type = hidden[special].type, off = hidden[special].off;
	void *local = NULL;

	if (!type)
		return 0;
	if (at->type == TYPE_VARIES) { /* the object says */
		lower_emit(l, (struct code_insn){OP_MOV64_IMM, type});
		return 0;
	}
	if (l->link->local)
		local = l->link->local(l->link->data, at->type);
	if (at->type && !local) /* the verifier knows it, so what lacks is memory */
		return lower_fail(l, -ENOMEM, "no memory for struct %u", at->type);
	if (!local || (off && !at->field))
		return lower_fail(l, -EINVAL, "no struct %u to allocate or link", at->type);
	lower_emit(l, (struct code_insn){OP_LD_IMM64, type, .ptr = local});
	if (off)
		lower_emit(l, (struct code_insn){OP_MOV64_IMM, off,
						 .imm = at->field->node_off});
	return 0;
}

/* The bounds of strings follow in the last registers, which no such function takes. */
static void text_args(struct lower *l, u32 special)
{
	const char *args = abi_special(special)->args;
	u8 n = 0;

	for (u32 i = 0; args[i]; i++) {
		u32 room = args[i] == 'a' ? l->proof->at[l->at].text[n] : 0;

		if (args[i] == 'a')
			lower_emit(l, (struct code_insn){OP_MOV64_IMM, (u8)(R4 + n++),
							 .imm = room ? room : INT32_MAX});
	}
}

/* As helper_args(). */
static u8 kfunc_args(const struct abi_kfunc *kfunc)
{
	return kfunc->btf ? (u8)(1 + min_u32(btf_vlen(btf_type(kfunc->btf, kfunc->proto)), 5))
			  : 0;
}

/* The function of a dynptr source is the same for all of them. */
static void source_arg(struct lower *l, const struct abi_kfunc *kfunc)
{
	if (kfunc->special == KS_DYNPTR_FROM_SOURCE)
		lower_emit(l, (struct code_insn){OP_MOV64_IMM, R4, .imm = kfunc->source});
}

/* A run that does not sleep is a read section from its beginning to its end, and keeps its
 * execution slot as every run does. Callbacks of work queues do sleep. */
bool lower_is_nothing(const struct lower *l, u32 special)
{
	switch (special) {
	case KS_RCU_READ_LOCK:
	case KS_RCU_READ_UNLOCK:
		return !l->proof->sleeps;
	case KS_PREEMPT_DISABLE:
	case KS_PREEMPT_ENABLE:
		return true;
	default:
		return false;
	}
}

static int call_kfunc(struct lower *l, const struct insn *insn)
{
	const struct image_ksym *sym;
	const struct abi_kfunc *kfunc;
	void *fn = NULL;
	u32 ret;

	if ((u32)insn->imm >= l->image->nksyms)
		return lower_fail(l, -EINVAL, "no symbol %d", insn->imm);
	sym = &l->image->ksyms[insn->imm];
	kfunc = sym->kfunc;
	if (kfunc && kfunc->special == KS_THROW) {
		lower_throw(l);
		return 0;
	}
	if (kfunc && l->link->kfunc)
		fn = l->link->kfunc(l->link->data, kfunc);
	if (!fn)
		return lower_fail(l, -ENOENT, "the host has no function '%s'", sym->name);
	if (!kfunc->btf && lower_is_nothing(l, kfunc->special))
		return 0;
	if (!kfunc->btf) {
		TRY(hidden_args(l, kfunc->special));
		text_args(l, kfunc->special);
	}
	if (kfunc->special == KS_COPY_FROM_USER_STR ||
	    kfunc->special == KS_COPY_FROM_USER_TASK_STR)
		hide_space(l);
	if (kfunc->special == KS_COPY_FROM_USER_TASK_STR)
		TRY(pass_owner(l, R5));
	if (is_deferred_put(l, kfunc)) {
		lower_emit(l, (struct code_insn){CODE_PUT, .ptr = fn});
		return 0;
	}
	keep_consumed(l, kfunc);
	extend_args(l, sym);
	source_arg(l, kfunc);
	ret = btf_type(sym->btf, sym->type)->type;
	lower_emit(l, (struct code_insn){
		.op = call_returning[narrow_of(sym->btf, ret)],
		.src = kfunc_args(kfunc),
		.ptr = fn,
	});
	return 0;
}

int lower_call(struct lower *l, const struct insn *insn)
{
	switch (insn->src) {
	case CALL_SUBPROG:
		return call_subprog(l, insn);
	case CALL_KFUNC:
		return call_kfunc(l, insn);
	default:
		return call_helper(l, insn);
	}
}
