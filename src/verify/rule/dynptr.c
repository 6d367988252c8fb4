/* SPDX-License-Identifier: MIT
 *
 * rule/dynptr.c: dynptrs: two slots of the stack that describe memory whose size is known
 * at run time only. Helpers and kfuncs make, use and end them (struct dynptr_at is what
 * their arguments say); callbacks may be handed one that can only be read.
 *
 * Invariants
 *  - every dynptr has an id; whatever points into its memory (a slice) has that id for its
 *    owner and dies with it; slices of packets die whenever packets move, too;
 *  - what points into one of a frame that is left lives as long as what the dynptr is of;
 *  - a dynptr of a ring buffer holds the reference of its record. Clones share it, and all
 *    of them end when it is given back; writing over one is refused;
 *  - its slots are written by the functions made for it alone; any other write ends it.
 */
#include "verify/rule/kcall.h"
#include "verify/walk.h"

enum { DYNPTR_SLOTS = 2 };

/* ---- finding it ---- */

static int check_unmodified(struct env *env, u32 regno, const struct reg *reg)
{
	if (reg->off < 0)
		return reject(env, RULE_DYNPTR_NEG, regno, reg->off);
	if (reg->off || has_var_off(reg))
		return reject(env, RULE_DYNPTR_OFF, regno, reg->off);
	return 0;
}

static bool is_dynptr(const struct frame *frame, u32 at)
{
	return stack_object_is(frame, at, DYNPTR_SLOTS, SLOT_DYNPTR) &&
	       frame->stack[at].spilled.first && !frame->stack[at - 1].spilled.first;
}

/* Where register @regno points to: a place on the stack, or a dynptr it was handed. */
static int find_place(struct env *env, u32 regno, struct dynptr_at *d)
{
	const struct reg *reg = cur_reg(env, regno);

	*d = (struct dynptr_at){.object = reg_none()};
	if (reg->base == REG_DYNPTR) {
		d->object = *reg;
		return check_unmodified(env, regno, reg);
	}
	if (reg->base != REG_STACK)
		return reject(env, RULE_DYNPTR_KIND, regno - 1);
	TRY(stack_object(env, regno, DYNPTR_SLOTS, "dynptr", &d->frame, &d->at));
	if (is_dynptr(d->frame, d->at))
		d->object = d->frame->stack[d->at].spilled;
	return 0;
}

/* As kernels do, the log says both where the argument is and what it should be. */
static int say(struct env *env, int err, const char *what, s32 arg)
{
	if (err && arg >= 0)
		log_print(env->log, LOG_ERROR, "%s as arg #%d\n", what, arg);
	else if (err)
		log_print(env->log, LOG_ERROR, "%s\n", what);
	return err;
}

int dynptr_arg(struct env *env, u32 regno, struct dynptr_at *d)
{
	TRY(say(env, find_place(env, regno, d), "Expected an initialized dynptr", (s32)regno - 1));
	if (d->object.base != REG_DYNPTR)
		return reject(env, RULE_DYNPTR_INIT, regno - 1);
	return 0;
}

int dynptr_arg_new(struct env *env, u32 regno, struct dynptr_at *d)
{
	const struct reg *reg = cur_reg(env, regno);

	if (reg->base != REG_STACK && reg->base != REG_DYNPTR)
		return reject(env, RULE_DYNPTR_KIND, regno - 1);
	if (reg->base == REG_DYNPTR)
		return reject(env, RULE_DYNPTR_UNINIT);
	return say(env, find_place(env, regno, d), "Dynptr has to be an uninitialized dynptr", -1);
}

int dynptr_arg_release(struct env *env, u32 regno, struct dynptr_at *d)
{
	int err = find_place(env, regno, d);

	if (err)
		log_print(env->log, LOG_ERROR, "arg %u is an unacquired reference\n", regno);
	if (err)
		return err;
	if (!d->frame)
		return reject(env, RULE_DYNPTR_RELEASE_CONST);
	if (!d->object.ref)
		return reject(env, RULE_DYNPTR_RELEASE, regno);
	return say(env, check_release_here(env, regno, d->object.ref),
		   "arg 1 is an unacquired reference", -1);
}

int check_dynptr_data(struct env *env, u32 regno)
{
	const struct reg *reg = cur_reg(env, regno);

	if (reg->base != REG_MAP_VALUE || reg->flags & F_NULL)
		return reject(env, RULE_DYNPTR_MEM, reg_class_name(env, reg));
	return 0;
}

/* ---- beginning and end ---- */

static int put(struct env *env, const struct dynptr_at *d, struct reg object)
{
	object.first = false;
	TRY(stack_object_put(env, d->frame, d->at, DYNPTR_SLOTS, SLOT_DYNPTR, object));
	d->frame->stack[d->at].spilled.first = true;
	return 0;
}

int dynptr_make(struct env *env, const struct dynptr_at *d, enum dynptr_kind kind)
{
	struct reg object = reg_pointer(REG_DYNPTR, 0);

	object.dynptr = (u8)kind;
	object.id = id_new(env);
	if (kind == DYNPTR_SKB || kind == DYNPTR_XDP || kind == DYNPTR_HOST)
		object.flags |= F_PKT;
	if (kind == DYNPTR_RINGBUF)
		TRY(ref_take(env, &object.ref));
	return put(env, d, object);
}

/* Another view of the same memory, which shares the reference. */
static int dynptr_clone(struct env *env, const struct dynptr_at *d, const struct reg *of)
{
	struct reg object = reg_pointer(REG_DYNPTR, of->flags);

	object.dynptr = of->dynptr;
	object.ref = of->ref;
	object.id = id_new(env);
	object.owner = of->owner;
	return put(env, d, object);
}

static void end_if_of(struct env *env, struct slot *slot, void *data)
{
	const u32 *ref = data;

	if (slot->spilled.ref != *ref)
		return;
	owner_forget(env, slot->spilled.id);
	slot_end_object(env, slot, true);
}

static void end_if_owned(struct env *env, struct slot *slot, void *data)
{
	const u32 *owner = data;

	if (slot->spilled.owner != *owner)
		return;
	owner_forget(env, slot->spilled.id);
	slot_end_object(env, slot, true);
}

void dynptr_owner_ended(struct env *env, u32 owner)
{
	if (!owner)
		return;
	state_each_object(env, env->cur, SLOT_DYNPTR, end_if_owned, &owner);
	owner_forget(env, owner);
}

struct heirs {
	u32 of, to;
};

static void inherit(struct reg *reg, void *data)
{
	const struct heirs *heirs = data;

	if (reg->owner == heirs->of)
		reg->owner = heirs->to;
}

void dynptr_frame_ends(struct state *state, const struct frame *frame)
{
	for (u32 i = 0; i < frame->nslots; i++) {
		const struct reg *object = &frame->stack[i].spilled;
		struct heirs heirs = {object->id, object->ref ? object->ref : object->owner};

		if (slot_ends_slices(&frame->stack[i]))
			state_each_reg(state, inherit, &heirs);
	}
}

int dynptr_release(struct env *env, const struct dynptr_at *d)
{
	u32 ref = d->object.ref;

	TRY(ref_release(env, ref));
	state_each_object(env, env->cur, SLOT_DYNPTR, end_if_of, &ref);
	return 0;
}

int dynptr_overwritten(struct env *env, struct frame *frame, u32 i)
{
	const struct reg *object = &frame->stack[i].spilled;

	if (object->ref)
		return reject(env, RULE_DYNPTR_OVERWRITE);
	owner_forget(env, object->id);
	stack_object_clear(env, frame, object->first ? i : i + 1, DYNPTR_SLOTS, true);
	return 0;
}

/* ---- what is in it ---- */

/* Writing makes room first: the packet may move. Of a host's source nothing is known. */
void dynptr_written(struct env *env, const struct reg *object)
{
	if (object->dynptr == DYNPTR_SKB || object->dynptr == DYNPTR_HOST)
		packet_forget(env);
}

struct reg dynptr_slice(struct env *env, const struct reg *object, u32 size, u16 flags)
{
	struct reg reg = reg_pointer(REG_MEM, flags | (object->flags & F_PKT));

	reg.mem_size = size;
	reg.owner = object->id;
	reg.id = flags & F_NULL ? id_new(env) : 0;
	return reg;
}

struct reg dynptr_const(struct env *env)
{
	struct reg reg = reg_pointer(REG_DYNPTR, 0);

	reg.dynptr = DYNPTR_LOCAL;
	reg.first = true;
	reg.id = reg.owner = id_new(env); /* clones of it have the same owner */
	return reg;
}

struct reg dynptr_any(struct env *env)
{
	struct reg reg = dynptr_const(env);

	/* Of all kinds the one of which least can be assumed. */
	reg.dynptr = DYNPTR_SKB;
	reg.flags = F_PKT;
	return reg;
}

/* ---- kfuncs ---- */

int special_dynptr_from(struct env *env, struct kcall *call)
{
	bool skb = call->kfunc->special == KS_DYNPTR_FROM_SKB;

	TRY(kfunc_check_args(env, call));
	TRY(dynptr_make(env, &call->new_dynptr, skb ? DYNPTR_SKB : DYNPTR_XDP));
	return kfunc_result(env, call);
}

/* Of an object of the host, which it does not outlive. */
int special_dynptr_from_source(struct env *env, struct kcall *call)
{
	const struct reg *of = cur_reg(env, R1);
	u32 owner = of->base != REG_BTF ? 0 : of->ref ? of->ref : of->owner;

	TRY(kfunc_check_source(env, call));
	TRY(kfunc_check_arg(env, call, 1));
	TRY(kfunc_check_arg(env, call, 2));
	TRY(dynptr_make(env, &call->new_dynptr, DYNPTR_HOST));
	call->new_dynptr.frame->stack[call->new_dynptr.at].spilled.owner = owner;
	call->new_dynptr.frame->stack[call->new_dynptr.at - 1].spilled.owner = owner;
	return kfunc_result(env, call);
}

/* Copies and fillings, whose first argument is the dynptr that is written. */
int special_dynptr_write(struct env *env, struct kcall *call)
{
	struct reg object;

	TRY(kfunc_check_arg(env, call, 0));
	object = call->dynptr.object;
	TRY(kfunc_check_args(env, call));
	dynptr_written(env, &object);
	return kfunc_result(env, call);
}

int special_dynptr_clone(struct env *env, struct kcall *call)
{
	struct reg object;

	TRY(kfunc_check_args(env, call));
	object = call->dynptr.object;
	TRY(dynptr_clone(env, &call->new_dynptr, &object));
	return kfunc_result(env, call);
}

/* The slice may be the buffer itself: then what is known of that ends, and the slice does
 * when it is used for something else. Memory that is no map's may be given back before. */
static int lend_buffer(struct env *env, const struct reg *buffer, u32 size, u32 *lent)
{
	if (reg_is_null(buffer) || buffer->base == REG_MAP_VALUE)
		return 0;
	if (buffer->base != REG_STACK)
		return reject(env, RULE_UNSUPPORTED, "slices with a buffer that is no map's");
	if (!scalar_is_const(buffer->num))
		return reject(env, RULE_UNSUPPORTED, "slices with a buffer anywhere on the stack");
	return size ? stack_lend(env, buffer, size, lent) : 0;
}

/* Memory inside the dynptr, or a copy in the program's own buffer: as many bytes as that
 * has. */
int special_dynptr_slice(struct env *env, struct kcall *call)
{
	bool rdwr = call->kfunc->special == KS_DYNPTR_SLICE_RDWR;
	const struct reg buffer = *cur_reg(env, R3);
	struct reg r0;
	u32 lent = 0;

	TRY(kfunc_check_args(env, call));
	if (!call->has_constant)
		return reject(env, RULE_UNSUPPORTED, call->kfunc->name);
	if (!env->abi->policy.slice_stack_buffer)
		TRY(lend_buffer(env, &buffer, (u32)call->constant, &lent));
	/* Our own look when they are called. */
	if (rdwr && call->kfunc->btf && !(env->prog->type && env->prog->type->packet_writable))
		return reject(env, RULE_DYNPTR_RDWR);
	r0 = dynptr_slice(env, &call->dynptr.object, (u32)call->constant,
			  F_NULL | (rdwr ? 0 : F_RDONLY));
	r0.lent = lent;
	kfunc_set_result(env, r0);
	return 0;
}
