/* SPDX-License-Identifier: MIT
 *
 * text.c: strings for functions that look for their end themselves (bpf_strlen() and the
 * like), and words of which a number says how many (bpf_iter_bits_new()). What they may
 * look at ends with the memory that the pointer is proved to be in, or with the next
 * special field or pointer there: lowering hands the number of bytes on
 * (proof_insn.text). Kernels let them read at any number; here that would tell a program
 * what lies in its host (J12).
 */
#include "verify/rule/kcall.h"
#include "verify/walk.h"

/* The first special field that a string from @lo on comes to, or @end. */
static s64 before_fields(const struct record *rec, s64 lo, s64 end)
{
	for (u32 i = 0; rec && i < rec->n; i++) {
		const struct field *f = &rec->fields[i];

		if ((s64)f->off + f->size > lo)
			return f->off < end ? f->off : end;
	}
	return end;
}

/* Up to the first byte that shows an address. */
static s64 stack_end(const struct env *env, const struct reg *ptr, s64 lo)
{
	const struct frame *frame = env->cur->frames[ptr->frame];

	for (s64 at = lo; at < 0; at++) {
		u32 i = (u32)(-at - 1) / 8;

		if (i < frame->nslots &&
		    slot_shows_address(&frame->stack[i], (u32)(at + STACK_SIZE) % 8))
			return at;
	}
	return 0;
}

static s64 own_object_end(struct env *env, const struct reg *ptr, s64 lo)
{
	const struct record *rec;
	u32 size = 0;

	if (own_record(env, ptr->btf, ptr->type, &rec))
		return lo;
	btf_size(ptr->btf, ptr->type, &size);
	return before_fields(rec, lo, size);
}

static s64 end_of(struct env *env, const struct reg *ptr, s64 lo)
{
	switch (ptr->base) {
	case REG_STACK:
		return lo < -STACK_SIZE ? lo : stack_end(env, ptr, lo);
	case REG_MAP_VALUE:
		return before_fields(ptr->map->record, lo, ptr->map->value_size);
	case REG_MAP_KEY:
		return ptr->map->key_size;
	case REG_PACKET:
	case REG_PACKET_META:
		return ptr->range;
	case REG_MEM:
		return ptr->mem_size;
	case REG_BTF:
		return own_object_end(env, ptr, lo);
	default:
		return lo;
	}
}

/* How much of it the string may be; of all paths that come here, the least. */
static void note_room(struct env *env, u32 nth, s64 room)
{
	u32 *text = &env->notes[env->insn].proof.text[nth];

	if (!*text || room < *text)
		*text = (u32)room;
}

static int object_text(struct env *env, u32 regno, u32 *room)
{
	const struct reg *ptr = cur_reg(env, regno);
	u32 size = 0;

	TRY(check_btf_offset(env, regno, ptr));
	btf_size(ptr->btf, ptr->type, &size);
	if (ptr->flags & (F_PERCPU | F_USER | F_NULL) || ptr->off < 0 ||
	    ptr->off >= (s64)size)
		return reject_kind(env, regno, "ptr_");
	*room = object_plain_room(ptr);
	if (!*room)
		return reject(env, RULE_PROBE_POINTER, 1u,
			      btf_type_name(ptr->btf, ptr->type), (s64)ptr->off);
	return 0;
}

int text_room(struct env *env, u32 regno, u32 *out)
{
	const struct reg *ptr = cur_reg(env, regno);
	s64 lo, hi, room;

	if (ptr->base == REG_BTF && ptr->btf != env->image->btf)
		return object_text(env, regno, out);
	lo = ptr->off + ptr->num.smin;
	hi = ptr->off + ptr->num.smax;
	room = end_of(env, ptr, lo) - hi;
	/* A byte at least: what is wrong with the pointer is said there. */
	room = room < 1 || room > STACK_SIZE << 12 ? 1 : room;
	*out = (u32)room;
	return mem_arg(env, regno, *out, false, false, false);
}

int text_arg(struct env *env, u32 regno, u32 nth)
{
	u32 room = 0;

	TRY(check_readable(env, regno));
	if (env->abi->policy.ptr_leaks)
		return 0;
	if (cur_reg(env, regno)->base == REG_SCALAR)
		return null_address(env, regno);
	TRY(text_room(env, regno, &room));
	note_room(env, nth, room);
	return 0;
}
