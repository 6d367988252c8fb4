/* SPDX-License-Identifier: MIT
 *
 * state.c: memory of states, ids, what is held, and what one event does to all registers.
 *
 * Memory: states, frames, stacks and step lists come from a pool of pieces of few sizes
 * over the verification's arena and go back to it, so that a long walk reuses the same
 * memory. Nothing of a state is shared with another but the parent chain.
 *
 * Invariant: slot i of a frame's stack exists only below nslots; beyond it every byte is
 * SLOT_INVALID.
 */
#include "verify/walk.h"

/* Four sizes to each power of two. */
enum { POOL_MIN = 6, POOL_STEPS = 4, POOL_CLASSES = 32 * POOL_STEPS };

struct pool_item {
	struct pool_item *next;
};

struct pool {
	struct pool_item *free[POOL_CLASSES];
};

/* The class of pieces that hold @size bytes, and their true size. */
static u32 pool_class(size_t size, size_t *bytes)
{
	u32 log = POOL_MIN, step;

	if (size <= 1u << POOL_MIN) {
		*bytes = 1u << POOL_MIN;
		return 0;
	}
	log = 63 - (u32)__builtin_clzll(size - 1);
	step = (u32)((size - 1) >> (log - 2)) - POOL_STEPS + 1; /* 1 to 4 */
	*bytes = ((size_t)POOL_STEPS + step) << (log - 2);
	return (log - POOL_MIN) * POOL_STEPS + step;
}

void *pool_get(struct env *env, size_t size)
{
	size_t bytes;
	u32 c = pool_class(size, &bytes);
	struct pool_item *item;

	if (!env->pool)
		env->pool = arena_new_of(env->arena, struct pool);
	if (!env->pool)
		return NULL;
	item = env->pool->free[c];
	if (!item)
		return arena_alloc(env->arena, bytes);
	env->pool->free[c] = item->next;
	return item;
}

void pool_put(struct env *env, void *p, size_t size)
{
	struct pool_item *item = p;
	size_t bytes;
	u32 c = pool_class(size, &bytes);

	if (!p)
		return;
	item->next = env->pool->free[c];
	env->pool->free[c] = item;
}

/* Makes room for @need elements; the first @n are kept. */
bool pool_grow(struct env *env, void **p, u32 *cap, u32 n, u32 need, size_t size)
{
	u32 more = *cap ? *cap + *cap / 2 : need;
	size_t bytes;
	void *fresh;

	if (need <= *cap)
		return true;
	if (more < need)
		more = need;
	pool_class(more * size, &bytes);
	more = (u32)(bytes / size);
	fresh = pool_get(env, more * size);
	if (!fresh)
		return false;
	if (n)
		memcpy(fresh, *p, n * size);
	pool_put(env, *p, *cap * size);
	*p = fresh;
	*cap = more;
	return true;
}

struct frame *frame_new(struct env *env)
{
	struct frame *frame = pool_get(env, sizeof(*frame));

	if (frame)
		memset(frame, 0, sizeof(*frame));
	return frame;
}

void frame_free(struct env *env, struct frame *frame)
{
	if (!frame)
		return;
	pool_put(env, frame->stack, frame->cap_slots * sizeof(struct slot));
	pool_put(env, frame, sizeof(*frame));
}

static struct frame *frame_copy(struct env *env, const struct frame *from, u32 nslots)
{
	struct frame *frame = pool_get(env, sizeof(*frame));

	if (!frame)
		return NULL;
	*frame = *from;
	frame->stack = NULL;
	frame->cap_slots = 0;
	if (!pool_grow(env, (void **)&frame->stack, &frame->cap_slots, 0, nslots,
		       sizeof(struct slot))) {
		frame_free(env, frame);
		return NULL;
	}
	frame->nslots = nslots;
	if (nslots)
		memcpy(frame->stack, from->stack, nslots * sizeof(struct slot));
	return frame;
}

struct slot *frame_slot(struct env *env, struct frame *frame, u32 i)
{
	BUG_ON(i >= NSLOTS);
	if (i < frame->nslots)
		return &frame->stack[i];
	if (!pool_grow(env, (void **)&frame->stack, &frame->cap_slots, frame->nslots,
		       i + 1, sizeof(struct slot)))
		return NULL;
	memset(&frame->stack[frame->nslots], 0,
	       (i + 1 - frame->nslots) * sizeof(struct slot));
	frame->nslots = i + 1;
	return &frame->stack[i];
}

bool slot_is_spill(const struct slot *slot)
{
	return slot->kind[0] == SLOT_SPILL && slot->kind[7] == SLOT_SPILL;
}

bool slot_has_spill(const struct slot *slot)
{
	return slot->kind[0] == SLOT_SPILL;
}

bool slot_shows_address(const struct slot *slot, u32 byte)
{
	return slot->kind[byte] == SLOT_ADDRESS ||
	       (slot->kind[byte] == SLOT_SPILL && reg_shows_address(&slot->spilled));
}

struct state *state_new(struct env *env)
{
	struct state *state = pool_get(env, sizeof(*state));

	if (state)
		memset(state, 0, sizeof(*state));
	return state;
}

void state_free(struct env *env, struct state *state)
{
	if (!state)
		return;
	for (u32 i = 0; i < state->nframes; i++)
		frame_free(env, state->frames[i]);
	pool_put(env, state->held, state->cap_held * sizeof(struct held));
	pool_put(env, state->steps, state->cap_steps * sizeof(struct step));
	pool_put(env, state, sizeof(*state));
}

static bool copy_lists(struct env *env, struct state *to, const struct state *from)
{
	if (!pool_grow(env, (void **)&to->held, &to->cap_held, 0, from->nheld,
		       sizeof(struct held)) ||
	    !pool_grow(env, (void **)&to->steps, &to->cap_steps, 0, from->nsteps,
		       sizeof(struct step)))
		return false;
	if (from->nheld)
		memcpy(to->held, from->held, from->nheld * sizeof(struct held));
	if (from->nsteps)
		memcpy(to->steps, from->steps, from->nsteps * sizeof(struct step));
	return true;
}

bool slot_ends_slices(const struct slot *slot)
{
	return slot->lent ||
	       (slot->kind[0] == SLOT_DYNPTR && (slot->spilled.owner || slot->spilled.ref));
}

/* Slots of frame @f that somebody may still read from @insn on, or that slices end with. */
static u32 slots_needed(const struct env *env, const struct state *state, u32 f, u32 insn)
{
	const struct frame *frame = state->frames[f];
	u32 nslots = frame->nslots;
	u64 live;

	if (insn == UINT32_MAX)
		return nslots;
	live = live_slots_of(env, state, f, insn);
	while (nslots && !(live >> (nslots - 1)) && !slot_ends_slices(&frame->stack[nslots - 1]))
		nslots--;
	return nslots;
}

struct state *state_copy(struct env *env, const struct state *from)
{
	return state_copy_at(env, from, UINT32_MAX);
}

/* A copy that shares only the parent; the counters of stored states begin anew. */
struct state *state_copy_at(struct env *env, const struct state *from, u32 insn)
{
	struct state *to = pool_get(env, sizeof(*to));

	if (!to)
		return NULL;
	*to = *from;
	to->held = NULL;
	to->steps = NULL;
	to->cap_held = to->cap_steps = 0;
	to->nframes = 0;
	to->branches = to->hits = to->misses = 0;
	to->loop = to->next = NULL;
	to->loop_head = to->all_precise = false;
	if (!copy_lists(env, to, from))
		goto fail;
	for (; to->nframes < from->nframes; to->nframes++) {
		u32 f = to->nframes;

		to->frames[f] = frame_copy(env, from->frames[f],
					   slots_needed(env, from, f, insn));
		if (!to->frames[to->nframes])
			goto fail;
	}
	return to;
fail:
	state_free(env, to);
	return NULL;
}

/* --- ids and all registers --- */

u32 id_new(struct env *env)
{
	return ++env->next_id;
}

static void frame_each_reg(struct frame *frame, void (*fn)(struct reg *, void *),
			   void *data)
{
	for (u32 i = 0; i < R_FP; i++)
		fn(&frame->regs[i], data);
	for (u32 i = 0; i < frame->nslots; i++)
		if (slot_has_spill(&frame->stack[i]))
			fn(&frame->stack[i].spilled, data);
}

void state_each_reg(struct state *state, void (*fn)(struct reg *reg, void *data),
		    void *data)
{
	for (u32 i = 0; i < state->nframes; i++)
		frame_each_reg(state->frames[i], fn, data);
}

void state_each_object(struct env *env, struct state *state, enum slot_kind kind,
		       void (*fn)(struct env *env, struct slot *slot, void *data), void *data)
{
	for (u32 f = 0; f < state->nframes; f++)
		for (u32 i = 0; i < state->frames[f]->nslots; i++)
			if (state->frames[f]->stack[i].kind[0] == kind)
				fn(env, &state->frames[f]->stack[i], data);
}

/* --- what is held --- */

u32 held_add(struct env *env, enum held_kind kind, u32 id, const void *owner)
{
	struct state *state = env->cur;

	if (state->nheld >= MAX_REFS) {
		log_fail(env->log, -E2BIG,
			 "more than %u references and locks held at once", (u32)MAX_REFS);
		return 0;
	}
	if (!pool_grow(env, (void **)&state->held, &state->cap_held, state->nheld,
		       state->nheld + 1, sizeof(struct held))) {
		out_of_memory(env);
		return 0;
	}
	if (!id)
		id = id_new(env);
	env->notes[env->insn].proof.takes = true;
	state->held[state->nheld++] = (struct held){.id = id,
						    .insn = env->insn,
						    .kind = (u8)kind,
						    .frame = (u8)(state->nframes - 1),
						    .owner = owner};
	return id;
}

struct held *held_find(struct state *state, enum held_kind kind, u32 id)
{
	for (u32 i = 0; i < state->nheld; i++)
		if (state->held[i].kind == kind && state->held[i].id == id)
			return &state->held[i];
	return NULL;
}

void held_drop(struct state *state, enum held_kind kind, u32 id)
{
	struct held *held = held_find(state, kind, id);

	if (!held)
		return;
	state->nheld--;
	memmove(held, held + 1,
		(size_t)(&state->held[state->nheld] - held) * sizeof(*held));
}

bool held_lock(const struct state *state)
{
	for (u32 i = 0; i < state->nheld; i++)
		if (state->held[i].kind == HELD_LOCK)
			return true;
	return false;
}

struct released {
	u32 ref, insn;
};

/* The copies remember who gave the reference back: for explanations. */
static void forget_ref(struct reg *reg, void *data)
{
	const struct released *r = data;

	if ((reg->ref != r->ref && reg->owner != r->ref) || !reg_is_pointer(reg))
		return;
	*reg = reg_address();
	reg->def = r->insn;
}

int ref_release(struct env *env, u32 ref)
{
	if (!ref || !held_find(env->cur, HELD_REF, ref))
		return -EINVAL;
	env->notes[env->insn].proof.gives = true;
	held_drop(env->cur, HELD_REF, ref);
	state_each_reg(env->cur, forget_ref, &(struct released){ref, env->insn});
	dynptr_owner_ended(env, ref);
	return 0;
}

static void forget_owned(struct reg *reg, void *data)
{
	const struct released *r = data;

	if (reg->owner != r->ref)
		return;
	*reg = reg_address();
	reg->def = r->insn;
}

void owner_forget(struct env *env, u32 owner)
{
	if (owner)
		state_each_reg(env->cur, forget_owned,
			       &(struct released){owner, env->insn});
}

static void forget_lent(struct reg *reg, void *data)
{
	const struct released *r = data;

	if (reg->base != REG_MEM || reg->lent != r->ref)
		return;
	*reg = reg_address();
	reg->def = r->insn;
}

void lent_forget(struct env *env, u32 lent)
{
	struct state *state = env->cur;

	state_each_reg(state, forget_lent, &(struct released){lent, env->insn});
	for (u32 f = 0; f < state->nframes; f++)
		for (u32 i = 0; i < state->frames[f]->nslots; i++)
			if (state->frames[f]->stack[i].lent == lent)
				state->frames[f]->stack[i].lent = 0;
}

static void keep_percpu(struct reg *reg, void *data)
{
	const struct released *r = data;

	if (reg->ref != r->ref || reg->base != REG_BTF || !(reg->flags & F_PERCPU))
		return;
	reg->flags = (reg->flags & (u16)~F_ALLOC) | F_RCU;
	reg->ref = reg->id = 0;
}

int ref_moved(struct env *env, u32 ref)
{
	if (in_read_section(env))
		state_each_reg(env->cur, keep_percpu, &(struct released){ref, env->insn});
	return ref_release(env, ref);
}

static void forget_packet(struct reg *reg, void *data)
{
	if (reg->base == REG_PACKET || reg->base == REG_PACKET_META ||
	    reg->base == REG_PACKET_END || (reg->base == REG_MEM && reg->flags & F_PKT))
		*reg = reg_address();
}

void packet_forget_in(struct state *state)
{
	state_each_reg(state, forget_packet, NULL);
}

void packet_forget(struct env *env)
{
	packet_forget_in(env->cur);
}

bool in_read_section(const struct env *env)
{
	return !env->cur->sleepable || env->cur->rcu_depth || held_lock(env->cur);
}

/* --- null tests --- */

struct null_test {
	u32 id;
	bool is_null;
};

/* A value that may hold a lock stays known by its id: the lock belongs to that value. */
static bool id_matters(const struct reg *reg)
{
	if (reg->base == REG_BTF)
		return reg->flags & F_ALLOC;
	if (reg->base != REG_MAP_VALUE || !reg->map || !reg->map->record)
		return false;
	for (u32 i = 0; i < reg->map->record->n; i++)
		if (reg->map->record->fields[i].kind == FIELD_LOCK)
			return true;
	return false;
}

static void learn_null(struct reg *reg, void *data)
{
	const struct null_test *test = data;

	if (!reg_is_pointer(reg) || !(reg->flags & F_NULL) || reg->id != test->id)
		return;
	if (test->is_null) {
		*reg = reg_const(0);
		return;
	}
	reg->flags &= (u16)~F_NULL;
	if (!id_matters(reg))
		reg->id = 0;
}

void null_learn(struct env *env, struct state *state, u32 id, u32 ref, bool is_null)
{
	struct null_test test = {id, is_null};

	BUG_ON(!id);
	/* Of a cast that failed the original is still there. */
	if (is_null && ref && ref == id)
		held_drop(state, HELD_REF, ref);
	state_each_reg(state, learn_null, &test);
}
