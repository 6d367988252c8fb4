/* SPDX-License-Identifier: MIT
 *
 * stack.c: what is on the stack. A slot of 8 bytes holds a spilled register (from its
 * lowest byte on, 8, 4, 2 or 1 bytes of it) and otherwise bytes known as zero, as
 * something, or never written. Accesses are aligned, so none of 8 bytes or fewer crosses
 * a slot. As in kernels since 6.3, reading bytes never written gives an unknown number.
 *
 * Dynptrs and iterators take whole slots; only the functions made for them look inside.
 * Slots that are lent are bytes of which nothing is known, because a slice may write them;
 * it ends before anything that is known goes there.
 *
 * Every access of a fixed place is noted in the step: precise.c follows values through
 * it.
 */
#include "verify/rule/rule.h"
#include "verify/walk.h"

/* Slot and byte of a frame offset in [-512, -1]. */
static u32 slot_of(s64 off)
{
	return (u32)(-off - 1) / 8;
}

static u32 byte_of(s64 off)
{
	return (u32)(off + STACK_SIZE) % 8;
}

enum verb { READ_FROM, WRITE_TO, INDIRECT };
static const char *const verbs[] = {"read from", "write to", "indirect access to"};

/* [lo, hi + size) lies within the stack. */
static int check_bounds(struct env *env, u32 regno, s64 lo, s64 hi, u32 size, enum verb verb)
{
	const struct reg *reg = cur_reg(env, regno);

	if (lo >= -STACK_SIZE && hi < 0 && hi + size <= 0)
		return 0;
	if (lo == hi)
		return reject(env, RULE_STACK_BOUNDS, verbs[verb], regno, (int)lo, size);
	return reject(env, RULE_STACK_VAR, verbs[verb], regno, var_off_str(env, reg),
		      (int)(lo - reg->num.smin), size);
}

static void note_depth(struct env *env, const struct frame *frame, s64 lo)
{
	struct subprog_note *sub = &env->subs[frame->subprog];

	if (-lo > sub->stack_depth)
		sub->stack_depth = (u16)ROUND_UP(-lo, 8);
}

/*
 * Who reads bytes that were never written must find nothing there that was somebody else's:
 * their slots are cleared when the program runs, others are not. Bytes that a function was
 * to write, or a store at a place that varies, may be written or not: they are cleared in any
 * case, as what the paths that were pruned here knew of them is not known.
 */
static void note_read(struct env *env, const struct frame *frame, s64 lo, s64 hi)
{
	for (s64 at = lo; at < hi; at++) {
		u32 i = slot_of(at);

		if (i >= frame->nslots || frame->stack[i].kind[byte_of(at)] == SLOT_INVALID)
			env->subs[frame->subprog].unwritten |= BIT64(i);
	}
}

static void note_unsure(struct env *env, const struct frame *frame, s64 lo, s64 hi)
{
	for (s64 at = lo; at < hi; at++)
		env->subs[frame->subprog].unwritten |= BIT64(slot_of(at));
}

void stack_note_pruned(struct env *env, const struct state *old, const struct state *cur)
{
	for (u32 f = 0; f < cur->nframes; f++) {
		const struct frame *was = old->frames[f], *is = cur->frames[f];
		u64 live = live_slots_of(env, cur, f, env->insn);

		for (u32 i = 0; i < was->nslots; i++)
			for (u32 b = 0; live >> i & 1 && b < 8; b++)
				if (was->stack[i].kind[b] != SLOT_INVALID &&
				    (i >= is->nslots ||
				     is->stack[i].kind[b] == SLOT_INVALID))
					env->subs[is->subprog].unwritten |= BIT64(i);
	}
}

static void note_step(struct env *env, const struct frame *frame, u32 slot)
{
	struct step *step = cur_step(env);

	for (u32 f = 0; f < env->cur->nframes; f++)
		if (env->cur->frames[f] == frame)
			step->acc_frame = (u8)f;
	step->slot = (u8)slot;
	step->flags |= STEP_STACK;
}

static bool is_object(u8 kind)
{
	return kind == SLOT_DYNPTR || kind == SLOT_ITER;
}

/* Its bytes are the engine's. @regno: of a callee's argument; 0: an instruction's. */
static int check_no_object(struct env *env, const struct frame *frame, u32 regno, s64 off,
			   s64 at, u32 size)
{
	char who[16] = "";

	if (slot_of(at) >= frame->nslots ||
	    !is_object(frame->stack[slot_of(at)].kind[byte_of(at)]))
		return 0;
	if (regno)
		snprintf(who, sizeof(who), "R%u ", regno);
	return reject(env, RULE_STACK_OBJECT, who, (int)off, (int)(at - off), size);
}

/* --- reading --- */

static bool bytes_zero(const struct slot *slot, u32 byte, u32 size)
{
	bool spilled_zero = slot_has_spill(slot) && reg_is_null(&slot->spilled);

	for (u32 b = byte; b < byte + size; b++)
		if (slot->kind[b] != SLOT_ZERO &&
		    !(slot->kind[b] == SLOT_SPILL && spilled_zero))
			return false;
	return true;
}

static u32 spill_size(const struct slot *slot)
{
	u32 n = 0;

	while (n < 8 && slot->kind[n] == SLOT_SPILL)
		n++;
	return n;
}

/* Part of a spilled number, or the whole. */
static struct reg fill_number(struct env *env, struct slot *slot, u32 byte, u32 size)
{
	struct reg *reg = &slot->spilled, part;
	struct scalar num = reg->num;

	if (!byte && (size == 8 || (num.umax < BIT64(8 * size)))) {
		link_number(env, reg);
		return *reg;
	}
	if (byte)
		num = scalar_alu(ALU_RSH, true, num, scalar_const(8 * byte));
	part = reg_num(size < 8 ? scalar_zext(num, (u8)size) : num);
	part.flags = part_marks(reg->flags);
	return part;
}

/* Bytes of a number that is marked are numbers that are. */
static bool is_marked(const struct slot *slot, u32 byte)
{
	return slot->kind[byte] == SLOT_SPILL && slot->spilled.base == REG_SCALAR &&
	       slot->spilled.flags & F_ADDRESS;
}

/* As a number an address would show where the host's data is (B10). *mark: it may be read,
 * as a number that must not go where others see it. */
static int check_no_address(struct env *env, const struct slot *slot, u32 byte, u32 size,
			    u16 *mark)
{
	for (u32 b = byte; b < byte + size; b++) {
		if (is_marked(slot, b))
			*mark = F_ADDRESS | F_PART;
		else if (slot_shows_address(slot, b) && !env->abi->policy.ptr_leaks)
			return reject(env, RULE_STACK_ADDRESS);
	}
	return 0;
}

static struct reg some_bytes(bool zero, u32 size, u16 mark)
{
	struct reg reg = zero ? reg_const(0)
			      : reg_num(scalar_zext(scalar_unknown(), (u8)size));

	reg.flags = zero ? 0 : mark;
	return reg;
}

static int read_slot(struct env *env, struct slot *slot, u32 byte, u32 size,
		     struct reg *out)
{
	u32 spilled = spill_size(slot);
	u16 mark = 0;

	if (spilled && slot->spilled.base != REG_SCALAR) {
		if (byte || size != 8)
			return reject(env, RULE_STACK_FILL);
		*out = slot->spilled;
		return 0;
	}
	TRY(check_no_address(env, slot, byte, size, &mark));
	if (byte + size <= spilled) {
		*out = fill_number(env, slot, byte, size);
		return 0;
	}
	*out = some_bytes(bytes_zero(slot, byte, size), size, mark);
	return 0;
}

int stack_read_fixed(struct env *env, struct frame *frame, s32 off, u32 size,
		     struct reg *out)
{
	u32 i = slot_of(off);

	note_depth(env, frame, off);
	note_step(env, frame, i);
	note_read(env, frame, off, (s64)off + size);
	if (i >= frame->nslots) {
		*out = reg_num(scalar_zext(scalar_unknown(), (u8)size));
		return 0;
	}
	TRY(check_no_object(env, frame, 0, off, off, size));
	return read_slot(env, &frame->stack[i], byte_of(off), size, out);
}

/* Anywhere in [lo, hi]: zero when all of it is, else some number. */
static int read_variable(struct env *env, struct frame *frame, s64 lo, s64 hi, u32 size,
			 struct reg *out)
{
	bool zero = true;
	u16 mark = 0;

	note_depth(env, frame, lo);
	note_read(env, frame, lo, hi + size);
	for (s64 at = lo; at < hi + size; at++) {
		u32 i = slot_of(at);

		if (i >= frame->nslots) {
			zero = false;
			continue;
		}
		TRY(check_no_object(env, frame, 0, lo, at, size));
		TRY(check_no_address(env, &frame->stack[i], byte_of(at), 1, &mark));
		/* A spilled 0 may be imprecise: only true zero bytes are sure. */
		zero &= frame->stack[i].kind[byte_of(at)] == SLOT_ZERO;
	}
	*out = some_bytes(zero, size, mark);
	return 0;
}

/* --- writing --- */

/*
 * A dynptr ends when a byte of it is written; one that holds a reference must not be.
 * What is left of an iterator is none, and shows nothing; its reference stays, and leaks.
 */
static int break_object(struct env *env, struct frame *frame, u32 i)
{
	struct slot *slot = &frame->stack[i];
	bool hide = !env->abi->policy.ptr_leaks;

	if (slot->lent)
		lent_forget(env, slot->lent);
	if (slot->kind[0] == SLOT_DYNPTR)
		return dynptr_overwritten(env, frame, i);
	if (slot->kind[0] != SLOT_ITER)
		return 0;
	memset(slot->kind, hide ? SLOT_ADDRESS : SLOT_MISC, sizeof(slot->kind));
	slot->spilled = reg_none();
	return 0;
}

/*
 * The slot is about to be written. What was spilled there is gone, its bytes become mere
 * bytes, or those of an address. As in the kernel that is so of a small spill even when
 * other bytes of the slot are written: in structs of small members that loops fill in,
 * knowing less of the neighbours lets the loops converge.
 */
static void break_spill(struct env *env, struct slot *slot)
{
	u32 spilled = spill_size(slot);
	bool address = spilled && slot_shows_address(slot, 0) && !env->abi->policy.ptr_leaks;

	for (u32 b = 0; b < spilled; b++)
		slot->kind[b] = address ? SLOT_ADDRESS : SLOT_MISC;
	if (spilled)
		slot->spilled = reg_none();
}

static void write_spill(struct env *env, struct slot *slot, u32 size, struct reg reg)
{
	break_spill(env, slot);
	cur_step(env)->flags |= STEP_SPILL;
	memset(slot->kind, SLOT_SPILL, size);
	if (reg.base == REG_SCALAR && size < 8 && reg.num.umax >= BIT64(8 * size)) {
		u16 marks = part_marks(reg.flags);

		reg = reg_num(scalar_zext(reg.num, (u8)size));
		reg.flags = marks;
	}
	reg.def = env->insn;
	slot->spilled = reg;
}

static void write_bytes(struct env *env, struct slot *slot, u32 byte, u32 size,
			enum slot_kind kind)
{
	break_spill(env, slot);
	memset(slot->kind + byte, (int)kind, size);
}

/* The byte may be written, or stay what it was. */
static void write_perhaps(struct env *env, struct slot *slot, u32 byte)
{
	break_spill(env, slot);
	if (slot->kind[byte] != SLOT_ADDRESS)
		slot->kind[byte] = SLOT_MISC;
}

/* Only a whole register may be spilled, and no stack pointer into a caller's frame: it
 * might outlive the frame it points to. */
static int check_spill(struct env *env, const struct frame *frame,
		       const struct access *acc)
{
	if (!reg_is_pointer(&acc->value))
		return 0;
	if (acc->size != 8)
		return reject(env, RULE_STACK_SPILL);
	if (frame != cur_frame(env) && acc->value.base == REG_STACK)
		return reject(env, RULE_STACK_CALLER);
	return 0;
}

static int write_fixed(struct env *env, struct frame *frame, s32 off, struct access *acc)
{
	struct slot *slot = frame_slot(env, frame, slot_of(off));
	u32 byte = byte_of(off);

	if (!slot)
		return out_of_memory(env);
	note_depth(env, frame, off);
	note_step(env, frame, slot_of(off));
	frame->written_slots |= BIT64(slot_of(off));
	TRY(break_object(env, frame, slot_of(off)));
	TRY(check_spill(env, frame, acc));
	if (!byte) {
		if (acc->value_regno >= 0) {
			struct reg *src = cur_reg(env, (u32)acc->value_regno);

			if (acc->size == 8 || (src->base == REG_SCALAR &&
					       src->num.umax < BIT64(8 * acc->size)))
				link_number(env, src);
			acc->value = *src;
		}
		write_spill(env, slot, acc->size, acc->value);
		return 0;
	}
	if (!reg_is_null(&acc->value)) {
		write_bytes(env, slot, byte, acc->size,
			    leaks_address(env, &acc->value) ? SLOT_ADDRESS : SLOT_MISC);
		return 0;
	}
	/* That it is zero must hold on every path pruned here. */
	if (acc->value_regno >= 0)
		TRY(mark_precise(env, (u32)acc->value_regno));
	write_bytes(env, slot, byte, acc->size, SLOT_ZERO);
	return 0;
}

static int write_variable(struct env *env, struct frame *frame, s64 lo, s64 hi,
			  struct access *acc)
{
	if (leaks_address(env, &acc->value))
		return reject(env, RULE_STACK_VAR_SPILL, acc->regno);
	note_depth(env, frame, lo);
	note_unsure(env, frame, lo, hi + acc->size);
	for (s64 at = lo; at < hi + acc->size; at++) {
		struct slot *slot = frame_slot(env, frame, slot_of(at));

		if (!slot)
			return out_of_memory(env);
		TRY(break_object(env, frame, slot_of(at)));
		write_perhaps(env, slot, byte_of(at));
	}
	return 0;
}

/* --- the instruction --- */

/* Where the access may begin, as offsets from the frame's fp. */
static int access_span(struct env *env, const struct access *acc, s64 *lo, s64 *hi)
{
	const struct scalar *num = &acc->ptr.num;
	s64 fixed = (s64)acc->ptr.off + acc->off;
	enum verb write = acc->kind == ACC_WRITE || acc->kind == ACC_STORE_RELEASE;

	if (num->smin <= -MAX_VAR_OFF || num->smax >= MAX_VAR_OFF)
		return reject(env, RULE_STACK_UNBOUNDED, verbs[write], acc->regno);
	*lo = fixed + num->smin;
	*hi = fixed + num->smax;
	return check_bounds(env, acc->regno, *lo, *hi, acc->size, write);
}

/* What was there comes back as a number, and what goes in stays one. */
static int access_rmw(struct env *env, struct frame *frame, s64 lo, s64 hi,
		      struct access *acc)
{
	u16 mark = 0;

	TRY(check_no_leak(env, acc, "stack"));
	acc->result_set = lo == hi;
	if (lo == hi)
		TRY(stack_read_fixed(env, frame, (s32)lo, acc->size, &acc->result));
	for (s64 at = lo; at < hi + acc->size; at++) {
		u32 i = slot_of(at);

		if (i >= frame->nslots)
			continue;
		TRY(check_no_object(env, frame, 0, lo, at, acc->size));
		TRY(check_no_address(env, &frame->stack[i], byte_of(at), 1, &mark));
	}
	if (mark && acc->result_set)
		acc->result.flags |= mark;
	else if (mark)
		acc->result = some_bytes(false, acc->size, mark), acc->result_set = true;
	return stack_mark_written(env, frame, (s32)lo, (u32)(hi - lo) + acc->size);
}

int access_stack(struct env *env, struct access *acc)
{
	struct frame *frame = env->cur->frames[acc->ptr.frame];
	s64 lo = 0, hi = 0;

	TRY(access_span(env, acc, &lo, &hi));
	if (acc->kind == ACC_READ || acc->kind == ACC_ACQUIRE) {
		acc->result_set = true;
		if (lo == hi)
			return stack_read_fixed(env, frame, (s32)lo, acc->size,
						&acc->result);
		return read_variable(env, frame, lo, hi, acc->size, &acc->result);
	}
	if (acc->kind == ACC_WRITE || acc->kind == ACC_STORE_RELEASE) {
		if (lo == hi)
			return write_fixed(env, frame, (s32)lo, acc);
		return write_variable(env, frame, lo, hi, acc);
	}
	return access_rmw(env, frame, lo, hi, acc);
}

/* --- what calls do to it --- */

int stack_mark_written(struct env *env, struct frame *frame, s32 off, u32 size)
{
	if (!size)
		return 0;
	note_depth(env, frame, off);
	note_unsure(env, frame, off, (s64)off + size);
	for (s64 at = off; at < (s64)off + size; at++) {
		struct slot *slot = frame_slot(env, frame, slot_of(at));

		if (!slot)
			return out_of_memory(env);
		if (slot->kind[0] == SLOT_DYNPTR)
			return reject(env, RULE_DYNPTR_WRITE, (int)at);
		TRY(break_object(env, frame, slot_of(at)));
		write_bytes(env, slot, byte_of(at), 1, SLOT_MISC);
	}
	return 0;
}

int stack_lend(struct env *env, const struct reg *to, u32 size, u32 *lent)
{
	struct frame *frame = env->cur->frames[to->frame];
	s64 off = to->off + (s64)to->num.bits.value;

	TRY(stack_mark_written(env, frame, (s32)off, size));
	*lent = id_new(env);
	for (s64 at = off; at < off + size; at++)
		frame->stack[slot_of(at)].lent = *lent;
	return 0;
}

int stack_readable(struct env *env, u32 regno, struct frame *frame, s64 lo, s64 hi,
		   u32 size)
{
	TRY(check_bounds(env, regno, lo, hi, size, INDIRECT));
	note_depth(env, frame, lo);
	note_read(env, frame, lo, hi + size);
	for (s64 at = lo; at < hi + size; at++)
		TRY(check_no_object(env, frame, regno, lo, at, size));
	return 0;
}

int stack_writable(struct env *env, u32 regno, struct frame *frame, s64 lo, s64 hi,
		   u32 size)
{
	return check_bounds(env, regno, lo, hi, size, INDIRECT);
}

/* --- objects of the engine --- */

int stack_object(struct env *env, u32 regno, u32 nslots, const char *what,
		 struct frame **frame, u32 *at)
{
	const struct reg *reg = cur_reg(env, regno);
	s64 off = reg->off + (s64)reg->num.bits.value;

	BUG_ON(reg->base != REG_STACK);
	if (!scalar_is_const(reg->num))
		return reject(env, RULE_OBJECT_VAR_OFF, what);
	if (off >= 0 || off < -STACK_SIZE || off % 8 || off + 8 * (s64)nslots > 0)
		return reject(env, RULE_OBJECT_OFF, what, (int)off);
	*frame = env->cur->frames[reg->frame];
	*at = slot_of(off);
	note_depth(env, *frame, off);
	return 0;
}

int stack_object_put(struct env *env, struct frame *frame, u32 at, u32 nslots,
		     enum slot_kind kind, struct reg object)
{
	for (u32 i = at + 1 - nslots; i <= at; i++) {
		struct slot *slot = frame_slot(env, frame, i);

		if (!slot)
			return out_of_memory(env);
		TRY(break_object(env, frame, i));
		break_spill(env, slot);
	}
	object.def = env->insn;
	for (u32 i = at + 1 - nslots; i <= at; i++) {
		env->subs[frame->subprog].unwritten |= BIT64(i); /* by the program */
		memset(frame->stack[i].kind, (int)kind, sizeof(frame->stack[i].kind));
		frame->stack[i].spilled = object;
		frame->written_slots |= BIT64(i);
	}
	note_step(env, frame, at);
	return 0;
}

void slot_end_object(struct env *env, struct slot *slot, bool addresses)
{
	bool hide = addresses && !env->abi->policy.ptr_leaks;

	slot->spilled = reg_none();
	memset(slot->kind, hide ? SLOT_ADDRESS : SLOT_INVALID, sizeof(slot->kind));
}

void stack_object_clear(struct env *env, struct frame *frame, u32 at, u32 nslots,
			bool addresses)
{
	for (u32 i = at + 1 - nslots; i <= at; i++)
		slot_end_object(env, &frame->stack[i], addresses);
}

bool stack_object_is(const struct frame *frame, u32 at, u32 nslots, enum slot_kind kind)
{
	for (u32 i = at + 1 - nslots; i <= at; i++)
		if (i >= frame->nslots || frame->stack[i].kind[0] != kind ||
		    frame->stack[i].kind[7] != kind)
			return false;
	return true;
}

bool stack_const(struct env *env, u32 frameno, s32 off, u32 size, u64 *value)
{
	struct frame *frame = env->cur->frames[frameno];
	u32 i = slot_of(off), byte = byte_of(off);
	struct slot *slot;
	struct scalar num;

	if (off >= 0 || off < -STACK_SIZE || byte + size > 8 || i >= frame->nslots)
		return false;
	slot = &frame->stack[i];
	*value = 0;
	if (byte + size > spill_size(slot)) {
		for (u32 b = byte; b < byte + size; b++)
			if (slot->kind[b] != SLOT_ZERO)
				return false;
		return true;
	}
	if (slot->spilled.base != REG_SCALAR || !scalar_is_const(slot->spilled.num))
		return false;
	num = slot->spilled.num;
	*value = num.bits.value >> 8 * byte;
	if (size < 8)
		*value &= BIT64(8 * size) - 1;
	return !mark_precise_slot(env, frameno, i);
}
