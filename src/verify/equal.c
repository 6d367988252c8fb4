/* SPDX-License-Identifier: MIT
 *
 * equal.c: when an old state covers a new one at the same place (B23).
 *
 * It does if every concrete state the new one stands for is one the old stood for, as far
 * as the walk from the old one looked: dead registers and slots are not compared, numbers
 * only where marked precise. Pointers must agree in class, object and offset; identities
 * (ids of values, references) need not be the same numbers but must map one to one, so
 * that what the old state knew to be equal is equal in the new one.
 *
 * Bytes the old state held as "something" may be anything now, since the walk from it was
 * right for all values of them; but not a pointer's, which must not be read as a number.
 */
#include "verify/equal.h"
#include "verify/walk.h"

enum { MAX_IDS = 128 };

struct ids {
	struct {
		u32 old, cur;
	} map[MAX_IDS];
	u32 n;
	u32 fresh; /* stands for "an id nobody else has" */
	enum cover how;
	bool leaks; /* addresses may be read as numbers */
};

/* One to one: neither id was paired with another before. */
static bool ids_pair(struct ids *ids, u32 old, u32 cur)
{
	for (u32 i = 0; i < ids->n; i++) {
		if (ids->map[i].old == old)
			return ids->map[i].cur == cur;
		if (ids->map[i].cur == cur)
			return false;
	}
	if (ids->n == MAX_IDS)
		return false;
	ids->map[ids->n].old = old;
	ids->map[ids->n++].cur = cur;
	return true;
}

static bool ids_match(struct ids *ids, u32 old, u32 cur)
{
	if (!old || !cur)
		return old == cur;
	return ids_pair(ids, old, cur);
}

/* A number that was linked must still be; one that was not may be now. */
static bool links_match(struct ids *ids, const struct reg *old, const struct reg *cur)
{
	if (!old->id)
		return true;
	if (cur->id && old->off != cur->off)
		return false;
	return ids_pair(ids, old->id, cur->id ? cur->id : --ids->fresh);
}

/* What was an address may be where one was expected, and a mere number everywhere. */
static bool marks_match(const struct ids *ids, const struct reg *old, const struct reg *cur)
{
	u16 gained = cur->flags & ~old->flags, lost = old->flags & ~cur->flags;
	u16 matter = ids->how == COVER_SAME ? gained | lost : gained;

	return ids->leaks || !(matter & (F_ADDRESS | F_PART));
}

static bool numbers_cover(struct ids *ids, const struct reg *old, const struct reg *cur)
{
	if (!marks_match(ids, old, cur))
		return false;
	if (ids->how == COVER_PRECISE && !old->precise)
		return true;
	if (!scalar_within(old->num, cur->num))
		return false;
	if (ids->how == COVER_SAME && !scalar_within(cur->num, old->num))
		return false;
	return links_match(ids, old, cur);
}

static bool objects_match(struct ids *ids, const struct reg *old, const struct reg *cur)
{
	switch (old->base) {
	case REG_MAP:
	case REG_MAP_KEY:
	case REG_MAP_VALUE:
		return old->map == cur->map && ids_match(ids, old->map_uid, cur->map_uid);
	case REG_BTF:
		return old->btf == cur->btf && old->type == cur->type;
	case REG_PACKET:
	case REG_PACKET_META:
		return ids->how == COVER_SAME ? old->range == cur->range
					      : old->range <= cur->range;
	case REG_MEM:
		return old->mem_size == cur->mem_size &&
		       ids_match(ids, old->lent, cur->lent);
	case REG_STACK:
		return old->frame == cur->frame;
	case REG_FUNC:
		return old->subprog == cur->subprog;
	case REG_TABLE:
		return old->table == cur->table;
	case REG_DYNPTR:
		return old->dynptr == cur->dynptr && old->first == cur->first;
	case REG_ITER: /* that took another number of elements is the same */
		return old->btf == cur->btf && old->type == cur->type &&
		       old->drained == cur->drained;
	default:
		return true;
	}
}

static bool pointers_cover(struct ids *ids, const struct reg *old, const struct reg *cur)
{
	if (old->flags != cur->flags || old->off != cur->off)
		return false;
	if (!scalar_within(old->num, cur->num))
		return false;
	if (ids->how == COVER_SAME && !scalar_within(cur->num, old->num))
		return false;
	return objects_match(ids, old, cur) && ids_match(ids, old->id, cur->id) &&
	       ids_match(ids, old->ref, cur->ref) && ids_match(ids, old->owner, cur->owner);
}

static bool reg_covers(struct ids *ids, const struct reg *old, const struct reg *cur)
{
	if (old->base == REG_NONE)
		return ids->how != COVER_SAME || cur->base == REG_NONE;
	if (old->base != cur->base)
		return false;
	if (old->base == REG_SCALAR)
		return numbers_cover(ids, old, cur);
	return pointers_cover(ids, old, cur);
}

/* --- stack --- */

static u32 spilled_bytes(const struct slot *slot)
{
	u32 n = 0;

	while (n < 8 && slot->kind[n] == SLOT_SPILL)
		n++;
	return n;
}

static bool is_object(u8 kind)
{
	return kind == SLOT_DYNPTR || kind == SLOT_ITER;
}

/* Where an object of the engine is, the old walk must have known of one. */
static bool byte_covers(u8 old, u8 cur, enum cover how)
{
	if (how == COVER_SAME || is_object(old) || is_object(cur))
		return old == cur;
	return old == SLOT_INVALID || old == SLOT_MISC || old == SLOT_SPILL ||
	       old == SLOT_ADDRESS || old == cur;
}

/* What a read of the old spill's bytes would find now. */
static struct reg now_at_spill(const struct slot *cur, u32 bytes)
{
	if (spilled_bytes(cur) == bytes)
		return cur->spilled;
	if (spilled_bytes(cur) && cur->spilled.base != REG_SCALAR)
		return reg_none(); /* part of a pointer: covers nothing */
	return reg_num(bytes < 8 ? scalar_zext(scalar_unknown(), (u8)bytes)
				 : scalar_unknown());
}

static bool slot_covers(struct ids *ids, const struct slot *old, const struct slot *cur)
{
	u32 bytes = spilled_bytes(old);
	struct reg now;

	if ((cur->lent || ids->how == COVER_SAME) && !ids_match(ids, old->lent, cur->lent))
		return false;
	for (u32 b = 0; b < 8; b++)
		if (!byte_covers(old->kind[b], cur->kind[b], ids->how) ||
		    (!ids->leaks && slot_shows_address(cur, b) && !slot_shows_address(old, b)))
			return false;
	if (!bytes)
		return !is_object(old->kind[0]) || reg_covers(ids, &old->spilled, &cur->spilled);
	now = now_at_spill(cur, bytes);
	return reg_covers(ids, &old->spilled, &now);
}

/* Never written: anything will do but what reading would show. */
static bool unwritten_covers(const struct ids *ids, const struct slot *cur)
{
	if (ids->how == COVER_SAME || is_object(cur->kind[0]) || cur->lent)
		return false;
	for (u32 b = 0; b < 8 && !ids->leaks; b++)
		if (slot_shows_address(cur, b))
			return false;
	return true;
}

static bool stack_covers(struct ids *ids, const struct frame *old,
			 const struct frame *cur, u64 live)
{
	static const struct slot none;

	for (u32 i = 0; i < NSLOTS; i++) {
		const struct slot *a = i < old->nslots ? &old->stack[i] : &none;
		const struct slot *b = i < cur->nslots ? &cur->stack[i] : &none;

		if (i >= old->nslots && i >= cur->nslots)
			break;
		if (!(live >> i & 1) && !slot_ends_slices(b))
			continue;
		if (i >= old->nslots && unwritten_covers(ids, b))
			continue;
		if (!slot_covers(ids, a, b))
			return false;
	}
	return true;
}

/* --- frames, and what is held --- */

static bool frame_covers(struct ids *ids, const struct frame *old,
			 const struct frame *cur, u16 regs, u64 slots)
{
	/* Fewer iterations behind it: it walked at least as many as are left now. */
	if (old->cb_depth > cur->cb_depth || !ids_match(ids, old->owner, cur->owner))
		return false;
	for (u32 r = 0; r < R_FP; r++)
		if (regs & BIT(r) && !reg_covers(ids, &old->regs[r], &cur->regs[r]))
			return false;
	return stack_covers(ids, old, cur, slots);
}

static bool held_match(struct ids *ids, const struct state *old, const struct state *cur)
{
	if (old->nheld != cur->nheld)
		return false;
	for (u32 i = 0; i < old->nheld; i++) {
		const struct held *a = &old->held[i], *b = &cur->held[i];

		if (a->kind != b->kind || a->frame != b->frame || a->owner != b->owner ||
		    !ids_match(ids, a->id, b->id))
			return false;
	}
	return true;
}

static bool sections_match(const struct state *old, const struct state *cur)
{
	return old->rcu_depth == cur->rcu_depth &&
	       old->preempt_depth == cur->preempt_depth &&
	       old->sleepable == cur->sleepable;
}

bool state_covers(struct env *env, const struct state *old, const struct state *cur,
		  enum cover how)
{
	struct ids ids;

	if (!sections_match(old, cur) || !same_frames(old, cur))
		return false;
	ids.n = 0;
	for (u32 i = 0; i < ARRAY_SIZE(env->arg_refs); i++)
		if (env->arg_refs[i]) /* the context names them: no other will do */
			ids_pair(&ids, env->arg_refs[i], env->arg_refs[i]);
	ids.fresh = 0;
	ids.how = how;
	ids.leaks = env->abi->policy.ptr_leaks;
	if (!held_match(&ids, old, cur))
		return false;
	for (u32 f = cur->nframes; f-- > 0;)
		if (!frame_covers(&ids, old->frames[f], cur->frames[f],
				  live_regs_of(env, cur, f, env->insn),
				  live_slots_of(env, cur, f, env->insn)))
			return false;
	return true;
}
