/* SPDX-License-Identifier: MIT
 *
 * rule/iter.c: open-coded iterators (rule book B32): objects on the stack that _new() makes,
 * _next() asks for elements until it gives NULL, and _destroy() ends.
 *
 * Each holds a reference from _new() to _destroy(), so that no path forgets the latter. A
 * call of _next() forks the path: "drained" gets NULL, and from then on always; "active"
 * gets an element. States are stored and compared at each such call. A loop is closed when
 * it comes back in a state that its ancestor covers; by induction, whatever the next lap
 * does was proved. That loop ends: every lap took an element of one and the same iterator
 * (iter_advanced()), and those around it were not made anew by it.
 *
 * What _next() gave lives as long as the iterator (its owner), or as its read section says.
 */
#include "verify/rule/kcall.h"
#include "verify/walk.h"

/* ---- arguments ---- */

static const char *iter_name(const struct kcall *call, u32 type)
{
	const char *name = btf_type_name(call->btf, type);

	return strncmp(name, "bpf_", 4) ? name : name + 4;
}

/* The struct behind the parameter: bpf_iter_<kind>, whole slots. */
static int iter_struct(struct env *env, const struct kcall *call, const struct karg *arg,
		       u32 *type, u32 *nslots)
{
	u32 size = 0;

	*type = btf_skip_mods(call->btf, btf_pointee(call->btf, arg->type));
	if (btf_kind(btf_type(call->btf, *type)) != BTF_STRUCT ||
	    strncmp(btf_type_name(call->btf, *type), "bpf_iter_", 9) ||
	    !btf_size(call->btf, *type, &size) || !size || size % 8 || size > STACK_SIZE)
		return reject(env, RULE_UNSUPPORTED, call->kfunc->name);
	*nslots = size / 8;
	return 0;
}

static bool is_iter_byte(const struct iter_at *it)
{
	for (u32 i = it->at + 1 - it->nslots; i <= it->at && i < it->frame->nslots; i++)
		if (it->frame->stack[i].kind[0] == SLOT_ITER)
			return true;
	return false;
}

/* An iterator of this type begins at the slot; only its first slot has the reference. */
static bool is_iter(const struct kcall *call, const struct iter_at *it, u32 type)
{
	if (!stack_object_is(it->frame, it->at, it->nslots, SLOT_ITER))
		return false;
	for (u32 i = it->at + 1 - it->nslots; i <= it->at; i++) {
		const struct reg *object = &it->frame->stack[i].spilled;

		if (!object->ref != (i != it->at) ||
		    !btf_same_type(object->btf, object->type, call->btf, type))
			return false;
	}
	return true;
}

int arg_iter(struct env *env, struct kcall *call, const struct karg *arg)
{
	struct iter_at *it = &call->iter;
	u32 type;
	int err;

	if (arg->reg->base != REG_STACK)
		return reject(env, RULE_ITER_STACK, arg->i);
	TRY(iter_struct(env, call, arg, &type, &it->nslots));
	err = stack_object(env, arg->regno, it->nslots, "iter", &it->frame, &it->at);
	if (err)
		log_print(env->log, LOG_ERROR, "expected %s %s as arg #%u\n",
			  call->kfunc->flags & KF_ITER_NEW ? "uninitialized" : "an initialized",
			  iter_name(call, type), arg->i);
	if (err)
		return err;
	if (call->kfunc->flags & KF_ITER_NEW) {
		if (is_iter_byte(it))
			return reject(env, RULE_ITER_UNINIT, iter_name(call, type), arg->i);
		return 0;
	}
	if (!is_iter(call, it, type))
		return reject(env, RULE_ITER_INIT, iter_name(call, type), arg->i);
	if (it->frame->stack[it->at].spilled.flags & F_UNTRUSTED)
		return reject(env, RULE_ITER_RCU, call->kfunc->name);
	if (call->kfunc->flags & KF_ITER_DESTROY)
		return check_release_here(env, arg->regno,
					  it->frame->stack[it->at].spilled.ref);
	return 0;
}

/* ---- read sections ---- */

/* The kernel's elements are objects, which are downgraded themselves. */
static void forget_memory(struct reg *reg, void *data)
{
	const u32 *owner = data;

	if (reg->base == REG_MEM && reg->owner == *owner)
		*reg = reg_address();
}

static void downgrade(struct env *env, struct slot *slot, void *data)
{
	if (!(slot->spilled.flags & F_RCU))
		return;
	if (slot->spilled.ref)
		state_each_reg(env->cur, forget_memory, &slot->spilled.ref);
	slot->spilled.flags &= (u16)~F_RCU;
	slot->spilled.flags |= F_UNTRUSTED;
}

void iter_downgrade(struct env *env)
{
	state_each_object(env, env->cur, SLOT_ITER, downgrade, NULL);
}

/* ---- effects ---- */

static struct reg *object_at(struct frame *frame, u32 at)
{
	return &frame->stack[at].spilled;
}

static int iter_new(struct env *env, struct kcall *call)
{
	u32 type = btf_skip_mods(call->btf, btf_params(call->proto)[0].type), ref;
	struct iter_at *it = &call->iter;
	struct reg object = reg_pointer(REG_ITER, 0);

	object.btf = call->btf;
	object.type = btf_skip_mods(call->btf, btf_pointee(call->btf, type));
	if (call->kfunc->flags & KF_RCU_PROTECTED)
		object.flags = in_read_section(env) ? F_RCU : F_UNTRUSTED;
	TRY(ref_take(env, &ref));
	held_find(env->cur, HELD_REF, ref)->owner = call->kfunc;
	TRY(stack_object_put(env, it->frame, it->at, it->nslots, SLOT_ITER, object));
	object_at(it->frame, it->at)->ref = ref;
	if (call->kfunc->special == KS_ITER_MAP_ELEM_NEW)
		object_at(it->frame, it->at)->off = (s32)call->map->key_size;
	return kfunc_result(env, call);
}

static int iter_destroy(struct env *env, struct kcall *call)
{
	struct iter_at *it = &call->iter;
	u32 ref = object_at(it->frame, it->at)->ref;

	TRY(ref_release(env, ref));
	stack_object_clear(env, it->frame, it->at, it->nslots,
			   call->kfunc->special != KS_ITER_NUM_DESTROY);
	return kfunc_result(env, call);
}

/* A key of the map: the iterator has its size for an offset. */
static void key_result(struct env *env, const struct reg *object)
{
	struct reg r0 = reg_pointer(REG_MEM, F_NULL | F_RDONLY);

	r0.mem_size = (u32)object->off;
	r0.id = id_new(env);
	kfunc_set_result(env, r0);
}

/* What it gives: as good as the iterator itself. */
static int element(struct env *env, struct kcall *call, const struct reg *object)
{
	struct reg *r0 = cur_reg(env, R0);

	if (call->kfunc->special == KS_ITER_MAP_ELEM_NEXT)
		key_result(env, object);
	else
		TRY(kfunc_result(env, call));
	if (r0->base == REG_BTF) {
		r0->flags &= (u16)~F_UNTRUSTED;
		r0->flags |= object->flags & F_RCU ? F_RCU : F_TRUSTED;
	}
	if (r0->base != REG_MEM && (r0->base != REG_BTF || env->abi->policy.iter_results_stay))
		return 0;
	r0->owner = object->ref;
	return 0;
}

static void take_one(struct state *state, const struct iter_at *it, u32 frame)
{
	struct reg *object = object_at(state->frames[frame], it->at);

	if (object->depth < UINT16_MAX)
		object->depth++;
	state->loops++;
}

static u32 frame_number(const struct env *env, const struct frame *frame)
{
	u32 f = 0;

	while (env->cur->frames[f] != frame)
		f++;
	return f;
}

/*
 * The way out is walked first, so that what the code behind the loop needs of the numbers
 * is known when the loop is entered again; numbers nobody needs are widened.
 */
static int iter_next(struct env *env, struct kcall *call)
{
	struct iter_at *it = &call->iter;
	u32 frame = frame_number(env, it->frame), id;
	struct reg *object = object_at(it->frame, it->at), *r0;
	struct state *active;
	int err;

	if (!env->abi->policy.iter_results_stay)
		dynptr_owner_ended(env, object->ref);
	TRY(element(env, call, object));
	r0 = cur_reg(env, R0);
	id = r0->id;
	if (!(r0->flags & F_NULL) || !id)
		return reject(env, RULE_UNSUPPORTED, call->kfunc->name);
	if (!object->drained) {
		call_clobber(env);
		active = push_branch(env, env->insn + 1, &err);
		if (!active)
			return err;
		take_one(active, it, frame);
		null_learn(env, active, id, 0, false);
		widen(env, env->insn, active, active->parent);
	}
	object->drained = true;
	kfunc_set_result(env, reg_const(0));
	return 0;
}

int iter_call(struct env *env, struct kcall *call)
{
	if (!btf_vlen(call->proto) || !call->iter.frame)
		return reject(env, RULE_UNSUPPORTED, call->kfunc->name);
	if (call->kfunc->flags & KF_ITER_NEW)
		return iter_new(env, call);
	return call->kfunc->flags & KF_ITER_NEXT ? iter_next(env, call)
						 : iter_destroy(env, call);
}

/* Over the keys of a map, which stays: an inner map lasts as long as the read section that
 * found it. */
int special_iter_map_elem(struct env *env, struct kcall *call)
{
	TRY(kfunc_check_args(env, call));
	if (call->map && !call->map->key_size)
		return reject(env, RULE_UNSUPPORTED, "an iterator over a map without keys");
	if (call->map && call->map_uid && env->cur->sleepable)
		return reject(env, RULE_UNSUPPORTED,
			      "an iterator over an inner map in a program that sleeps");
	return iter_call(env, call);
}

/* ---- loops that end ---- */

static const struct reg *iter_of_call(const struct state *state)
{
	const struct frame *frame = state->frames[state->nframes - 1];
	const struct reg *reg = &frame->regs[R1];
	s64 off = reg->off + (s64)reg->num.bits.value;
	u32 at = (u32)(-off - 1) / 8;

	if (reg->base != REG_STACK || !scalar_is_const(reg->num) || off >= 0)
		return NULL;
	frame = state->frames[reg->frame];
	if (at >= frame->nslots || frame->stack[at].kind[0] != SLOT_ITER)
		return NULL;
	return &frame->stack[at].spilled;
}

static bool is_iter_ref(const struct held *held)
{
	return held->kind == HELD_REF && held->owner;
}

bool iters_same(const struct state *old, const struct state *cur)
{
	for (u32 i = 0; i < old->nheld; i++)
		if (is_iter_ref(&old->held[i]) && old->held[i].id != cur->held[i].id)
			return false;
	return true;
}

bool iter_advanced(struct env *env, const struct state *old, const struct state *cur)
{
	const struct reg *was = iter_of_call(old), *is = iter_of_call(cur);

	if (!was || !is || is->drained || was->ref != is->ref || was->depth >= is->depth ||
	    old->nheld != cur->nheld)
		return false;
	return iters_same(old, cur);
}

static bool holds(const struct state *state, u32 id)
{
	for (u32 i = 0; i < state->nheld; i++)
		if (state->held[i].id == id)
			return true;
	return false;
}

bool iters_kept(const struct state *root, const struct state *old, const struct state *cur)
{
	for (u32 i = 0; i < old->nheld; i++) {
		if (!is_iter_ref(&old->held[i]) || old->held[i].id == cur->held[i].id)
			continue;
		for (const struct state *s = cur->parent; s && s->depth >= root->depth;
		     s = s->parent)
			if (s->loop_head && holds(s, old->held[i].id))
				return false;
	}
	return true;
}
