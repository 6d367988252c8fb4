/* SPDX-License-Identifier: MIT
 *
 * rule/helper.c: calls of helpers, checked against the tables of src/abi: which helper, who
 * may call it, what it does beside its result. Arguments are in helper_arg.c, results in
 * helper_ret.c. What a helper alone knows (a lock, a tail call, an exchange) is in the kinds
 * and flags of its row, not in its number.
 */
#include "verify/rule/hcall.h"

bool licence_is_gpl(const struct image *image)
{
	return abi_license_is_gpl(image->license);
}

/* ---- callbacks ---- */

static struct reg map_pointer(struct env *env, const struct call *call, enum reg_base base)
{
	struct reg reg = reg_pointer(base, 0);

	reg.map = call->map;
	reg.map_uid = call->map_uid;
	reg.id = base == REG_MAP_VALUE ? id_new(env) : 0; /* a lock is known by it */
	return reg;
}

static int vma_pointer(struct env *env, const struct call *call, struct reg *out)
{
	const struct btf *btf;
	u32 type;

	if (!abi_find_struct(env->abi, "vm_area_struct", &btf, &type))
		return reject(env, RULE_UNSUPPORTED, call->helper->name);
	*out = reg_btf(btf, type, 0);
	return 0;
}

/* What r1-r5 of the callback hold. */
static int callback_args(struct env *env, const struct call *call, struct reg *args)
{
	for (u32 i = 0; i < MAX_ARGS; i++)
		args[i] = reg_none();
	switch (call->helper->callback) {
	case CB_LOOP:
		args[0] = reg_num(scalar_urange(0, UINT32_MAX));
		args[1] = call->context;
		return 0;
	case CB_TIMER:
		if (!call->map)
			return reject(env, RULE_UNSUPPORTED, call->helper->name);
		args[0] = map_pointer(env, call, REG_MAP);
		args[1] = map_pointer(env, call, REG_MAP_KEY);
		args[2] = map_pointer(env, call, REG_MAP_VALUE);
		return 0;
	case CB_USER_RINGBUF:
		args[0] = dynptr_const(env);
		args[1] = call->context;
		return 0;
	case CB_FIND_VMA:
		args[0] = *cur_reg(env, R1);
		TRY(vma_pointer(env, call, &args[1]));
		args[2] = call->context;
		return 0;
	case CB_MAP_ELEM:
		if (!call->map)
			return reject(env, RULE_HELPER_NO_MAP);
		args[0] = map_pointer(env, call, REG_MAP);
		args[1] = map_pointer(env, call, REG_MAP_KEY);
		args[2] = map_pointer(env, call, REG_MAP_VALUE);
		args[3] = call->context;
		return 0;
	default:
		return reject(env, RULE_UNSUPPORTED, call->helper->name);
	}
}

static int start_callback(struct env *env, const struct call *call)
{
	struct reg args[MAX_ARGS];

	TRY(callback_args(env, call, args));
	env->notes[env->insn].proof.callback = env->prog->subprogs[call->subprog].start;
	return call_callback(env, call->subprog, call->helper->callback, args);
}

/* ---- the call ---- */

static bool listed(const struct abi_prog_type *type, u32 id)
{
	return !type || !type->helpers || helper_set_has(type->helpers, id);
}

/* Of a process; what a kernel offers where is its own business. */
static const char *why_gone(const struct env *env, const struct abi_gone *gone)
{
	const char *text = gone && env->abi->helper_there
				   ? arena_printf(env->arena, ": %s; instead: %s", gone->why,
						  gone->instead) : NULL;

	return text ? text : "";
}

/* The loader puts calls of these numbers where what the program needs was not found. */
static int unknown_helper(struct env *env, u32 id)
{
	u32 ksym = id - POISON_KSYM;

	if (id == CORE_POISON)
		return reject(env, RULE_CORE_MISSING, id);
	if (id >= POISON_KSYM && ksym < env->image->nksyms)
		return reject(env, RULE_KSYM_MISSING, id, env->image->ksyms[ksym].name,
			      why_gone(env, abi_kfunc_gone(env->image->ksyms[ksym].name)));
	return reject(env, RULE_HELPER_UNKNOWN, id);
}

static int find_helper(struct env *env, u32 id, const struct abi_helper **out)
{
	const struct abi_prog_type *type = env->prog->type;
	const struct abi_helper *h = type && type->helper ? type->helper(type, id) : NULL;
	const char *name = abi_helper_name(id);

	h = h ? h : abi_helper(id);
	if (!h && !name)
		return unknown_helper(env, id);
	if (!h || !listed(type, id) ||
	    (env->abi->helper_there && !env->abi->helper_there(env->abi, type, id)))
		return reject(env, RULE_HELPER_PROG_TYPE, name ? name : h->name, id,
			      why_gone(env, abi_helper_gone(id)));
	for (u32 i = 0; type && i < ARRAY_SIZE(type->barred); i++)
		if (type->barred[i].helper == id)
			return reject(env, RULE_HELPER_PLACE, type->barred[i].why);
	*out = h;
	return 0;
}

static int check_call(struct env *env, const struct abi_helper *h)
{
	bool under_lock = h->flags & (HELPERF_UNDER_LOCK | HELPERF_LOCK | HELPERF_UNLOCK);

	if (env->abi->policy.no_xchg_lock)
		under_lock = h->flags & (HELPERF_LOCK | HELPERF_UNLOCK);
	if (h->flags & HELPERF_GPL && env->abi->policy.need_gpl &&
	    !licence_is_gpl(env->image))
		return reject(env, RULE_HELPER_GPL);
	TRY(check_in_signal(env, h->flags & HELPERF_SIGNAL, h->name));
	TRY(check_call_under_lock(env, under_lock));
	if (h->flags & HELPERF_SLEEPABLE)
		TRY(check_may_sleep(env, h->name, h->id));
	return 0;
}

/* What lowering may know of the call: only what every path agrees on. */
static void note_call(struct env *env, const struct call *call)
{
	struct insn_note *note = &env->notes[env->insn];
	struct proof_insn *proof = &note->proof;
	s32 map = call->map && !call->map_uid ? (s32)(call->map - env->image->maps) : -1;

	if (!note->map_seen) {
		note->map_seen = 1;
		proof->map = map;
		proof->const_key = call->key_known;
		proof->key = call->key;
	}
	if (proof->map != map || map < 0) {
		note->map_seen = 2;
		proof->map = -1;
	}
	if (!call->key_known || proof->key != call->key || proof->map < 0)
		proof->const_key = false;
}

/* What the call does to the dynptrs of its arguments. */
static int apply_dynptrs(struct env *env, const struct call *call)
{
	for (u32 i = 0; i < MAX_ARGS; i++) {
		const struct abi_arg *arg = arg_of(call, i);

		if (arg->kind != ARG_DYNPTR)
			continue;
		if (arg->flags & ARGF_UNINIT)
			TRY(dynptr_make(env, &call->new_dynptr,
					arg->flags & ARGF_RINGBUF ? DYNPTR_RINGBUF
								  : DYNPTR_LOCAL));
		if (arg->flags & ARGF_RELEASE)
			TRY(dynptr_release(env, &call->dynptr));
		if (arg->flags & ARGF_WRITE)
			dynptr_written(env, &call->dynptr.object);
	}
	return 0;
}

static int apply_flags(struct env *env, const struct call *call)
{
	const struct abi_helper *h = call->helper;

	if (call->release_ref)
		TRY(call->field ? ref_moved(env, call->release_ref)
				: ref_release(env, call->release_ref));
	TRY(apply_dynptrs(env, call));
	if (h->flags & HELPERF_RCU_LOCK)
		TRY(rcu_enter(env, h->name));
	if (h->flags & HELPERF_RCU_UNLOCK)
		TRY(rcu_leave(env, h->name));
	if (h->flags & HELPERF_CHANGES_PACKET)
		packet_forget(env);
	return 0;
}

int call_helper(struct env *env, const struct insn *insn, u32 *next)
{
	struct call call = {.context = reg_none()};
	struct reg r0;

	TRY(find_helper(env, (u32)insn->imm, &call.helper));
	env->notes[env->insn].proof.helper = call.helper;
	TRY(check_call(env, call.helper));
	TRY(helper_check_args(env, &call));
	note_call(env, &call);
	if (call.helper->callback != CB_NONE)
		TRY(start_callback(env, &call));
	TRY(apply_flags(env, &call));
	TRY(helper_result(env, &call, &r0));
	r0.def = env->insn;
	*cur_reg(env, R0) = r0;
	return 0;
}
