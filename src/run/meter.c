/* SPDX-License-Identifier: MIT
 *
 * meter.c: runs with a budget: how many turns of loops they may make, how long they may
 * take; and what they hold, so that it can be given back when they are ended.
 *
 * A run has one meter, on the stack of meter_run(); callbacks, and programs that tail calls
 * lead to, use it too. Runs inside it have their own, or none; so have callbacks that timers
 * and the like call. Turns are handed out in
 * stretches: the code counts slot->turns down to 0, and then asks here for more, which is
 * also when the clock is looked at. How many turns a run makes does not depend on that.
 *
 * Once a run ends, slot->ending says so until all its frames have returned, and no code of
 * it runs but what helpers go on calling, which returns at once. Then everything is given
 * back here: locks first, so that nothing is called under them, sections last. Iterators
 * lie in frames, and go with these (meter_leave()).
 */
#include "run/field/local.h"
#include "run/map/outer.h"

#include <time.h>

enum {
	MAX_HELD = 64, /* what the verifier lets a program hold (MAX_REFS) */
	/* Turns between two looks at the clock. */
	STRETCH = 256,
};

struct held {
	u64 value;
	const struct code_hold *how;
};

struct meter {
	struct meter *outer;
	u64 outer_turns;
	u64 left;	/* turns that are in no stretch yet */
	u64 deadline;	/* 0: none */
	u32 depth;	/* slot_ctx.depth */
	u32 sections, n;
	struct held held[MAX_HELD];
};

static u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

/* --- turns --- */

bool meter_running(const struct slot_ctx *slot)
{
	return slot->meter && slot->meter->depth == slot->depth;
}

bool meter_turn(void *of)
{
	struct slot_ctx *slot = of;
	struct meter *m = slot->meter;
	u64 n = m ? m->left : UINT64_MAX; /* tests run pieces of code alone */

	slot->turns = 0;
	if (slot->ending)
		return false;
	if (m && m->deadline && n > STRETCH)
		n = STRETCH;
	if (!n || (m && m->deadline && now() >= m->deadline)) {
		slot->ending = ENDING_SPENT;
		return false;
	}
	if (m)
		m->left -= n;
	slot->turns = n - 1;
	return true;
}

/* All goes back into one number, so that the clock is looked at soon. */
bool meter_spend(struct slot_ctx *slot, u64 n)
{
	struct meter *m = slot ? slot->meter : NULL;
	bool enough;

	if (!m || !meter_running(slot))
		return true;
	m->left += slot->turns;
	slot->turns = 0;
	enough = n <= m->left;
	m->left -= enough ? n : m->left;
	return enough;
}

/* --- what is held --- */

static bool is_object(u32 kind)
{
	return kind <= HOLD_RECORD;
}

static bool same_kind(u32 a, u32 b)
{
	return a == b || (is_object(a) && is_object(b));
}

static u64 dynptr_data(u64 dynptr)
{
	return *(const u64 *)(uintptr_t)dynptr; /* its first member: dynptr.h */
}

/* The dynptr that was announced last has been made, or not. */
static void dynptr_made(struct meter *m)
{
	struct held *held = &m->held[m->n - 1];

	held->value = dynptr_data(held->value);
	if (!held->value)
		m->n--;
}

static void held_add(struct meter *m, u64 value, const struct code_hold *how)
{
	BUG_ON(m->n == MAX_HELD);
	m->held[m->n++] = (struct held){value, how};
}

void meter_hold(void *of, const struct code_hold *how, u64 value)
{
	struct meter *m = ((struct slot_ctx *)of)->meter;

	if (how->kind == HOLD_SECTION)
		m->sections++;
	else if (how->kind == HOLD_DYNPTR_MADE)
		dynptr_made(m);
	else if (value)
		held_add(m, value - (u64)(s64)how->off, how);
}

static void held_remove(struct meter *m, u32 i)
{
	m->n--;
	memmove(&m->held[i], &m->held[i + 1], (m->n - i) * sizeof(m->held[0]));
}

void meter_drop(void *of, const struct code_hold *how, u64 value)
{
	struct meter *m = ((struct slot_ctx *)of)->meter;

	if (how->kind == HOLD_SECTION) {
		m->sections--;
		return;
	}
	if (how->kind == HOLD_DYNPTR)
		value = dynptr_data(value);
	if (!value)
		return;
	value -= (u64)(s64)how->off;
	for (u32 i = m->n; i-- > 0;)
		if (m->held[i].value == value && same_kind(m->held[i].how->kind, how->kind)) {
			held_remove(m, i);
			return;
		}
	BUG_ON(true);
}

static __attribute__((no_sanitize("undefined"))) void call(void *fn, u64 a)
{
	((u64(*)(u64, u64, u64, u64, u64))(uintptr_t)fn)(a, 0, 0, 0, 0);
}

static void give_back(struct pintle_host *host, const struct held *held)
{
	void *obj = (void *)(uintptr_t)held->value, *what = held->how->what;

	switch (held->how->kind) {
	case HOLD_STORABLE:
		storable_destroy(host, what, obj);
		break;
	case HOLD_PUT:
		defer_call(host, (void (*)(void *))(uintptr_t)what, obj);
		break;
	case HOLD_LOCAL:
		local_drop(obj_of(obj)->type, obj);
		break;
	case HOLD_PERCPU:
		percpu_drop(what, obj);
		break;
	default:
		call(what, held->value);
		break;
	}
}

static void give_locks_back(struct pintle_host *host, struct meter *m)
{
	for (u32 i = m->n; i-- > 0;)
		if (m->held[i].how->kind == HOLD_LOCK) {
			give_back(host, &m->held[i]);
			held_remove(m, i);
		}
}

/* No function that a lock is held over has a frame like that. What is called may run
 * programs, which end on their own. */
void meter_leave(void *of, u64 fp, u64 size)
{
	struct slot_ctx *slot = of;
	struct meter *m = slot->meter;
	struct held held;

	if (slot->ending != ENDING_SPENT)
		return;
	for (u32 i = m->n; i-- > 0;) {
		if (i >= m->n) /* locks went */
			continue;
		held = m->held[i];
		if (held.how->kind != HOLD_ITER || fp - held.value > size)
			continue;
		held_remove(m, i);
		give_locks_back(slot->host, m);
		give_back(slot->host, &held);
	}
}

static void give_all_back(struct pintle_host *host, struct meter *m)
{
	give_locks_back(host, m);
	while (m->n)
		give_back(host, &m->held[--m->n]);
	for (; m->sections; m->sections--)
		run_read_unlock(host);
}

/* --- runs --- */

const struct code *meter_tail(void *table, u64 index)
{
	const struct code *code = prog_array_code(table, index);

	return code && code->metered ? code : NULL;
}

static void count_cut(const struct slot_ctx *slot)
{
	atomic(u64) *cut = slot->prog ? &slot->prog->counts[slot->index].cut : NULL;

	if (cut)
		atomic_fetch_add_explicit(cut, 1, memory_order_relaxed);
}

static void begin(struct meter *m, const struct code_budget *budget, struct slot_ctx *slot)
{
	m->outer = slot->meter;
	m->outer_turns = slot->turns;
	m->left = budget->turns ? budget->turns : UINT64_MAX;
	m->deadline = budget->ns ? now() + budget->ns : 0;
	m->depth = slot->depth;
	m->sections = m->n = 0;
	slot->meter = m;
	slot->turns = 0;
}

static u64 end(struct meter *m, const struct code_budget *budget, struct slot_ctx *slot,
	       u64 result)
{
	bool cut = slot->ending == ENDING_SPENT;

	if (cut) {
		slot->ending = ENDING_NONE;
		give_all_back(slot->host, m);
		count_cut(slot);
		result = budget->result;
	}
	slot->cut = cut; /* whatever ran meanwhile */
	BUG_ON(m->n || m->sections);
	slot->meter = m->outer;
	slot->turns = m->outer_turns;
	return result;
}

u64 meter_run(const struct code *code, u64 r1, u64 r2, struct slot_ctx *slot)
{
	struct meter m;

	begin(&m, &code->budget, slot);
	return end(&m, &code->budget, slot, interp_enter(code, r1, r2, slot));
}

u64 meter_run_callback(const struct code_func *func, u64 a, u64 b, u64 c,
		       struct slot_ctx *slot)
{
	struct meter m;

	begin(&m, &func->code->budget, slot);
	return end(&m, &func->code->budget, slot, interp_callback(func, a, b, c, 0, 0));
}
