/* SPDX-License-Identifier: MIT
 *
 * arena_op.c: stores and atomic operations of the interpreter that survive a fault.
 */
#include "run/helper/arena_op.h"
#include "run/memory/fault.h"

void arena_store(struct slot_ctx *slot, u64 addr, u64 value, u32 size)
{
	if (unlikely(!fault_store(addr, value, size)))
		slot->faults++;
}

static u64 apply(enum isa_atomic what, u64 old, u64 with)
{
	switch (what) {
	case ATOMIC_ADD:
	case ATOMIC_FETCH_ADD:
		return old + with;
	case ATOMIC_OR:
	case ATOMIC_FETCH_OR:
		return old | with;
	case ATOMIC_AND:
	case ATOMIC_FETCH_AND:
		return old & with;
	case ATOMIC_XOR:
	case ATOMIC_FETCH_XOR:
		return old ^ with;
	default:
		return with;
	}
}

static bool fetches(enum isa_atomic what)
{
	return what != ATOMIC_ADD && what != ATOMIC_OR && what != ATOMIC_AND && what != ATOMIC_XOR;
}

/* What was there: 0 when nothing was. */
static struct fault_value change(enum isa_atomic what, u64 addr, u64 with, u32 size)
{
	struct fault_value seen = {0}, was;
	bool ok;

	seen.value = fault_load((const void *)(uintptr_t)addr, size, &ok);
	seen.bad = !ok;
	do {
		was = seen;
		if (!was.bad)
			seen = fault_cas(addr, was.value, apply(what, was.value, with), size);
	} while (!seen.bad && seen.value != was.value);
	return seen;
}

void arena_atomic(struct slot_ctx *slot, enum isa_op op, u64 addr, u64 *r, u32 src)
{
	const struct isa_info *info = isa_info(op);
	enum isa_atomic what = (enum isa_atomic)info->sub;
	u64 mask = info->size == 4 ? UINT32_MAX : UINT64_MAX;
	struct fault_value seen;

	if (what == ATOMIC_CMPXCHG) {
		seen = fault_cas(addr, r[R0] & mask, r[src] & mask, info->size);
		r[R0] = seen.value;
	} else {
		seen = change(what, addr, r[src] & mask, info->size);
		if (fetches(what))
			r[src] = seen.value;
	}
	if (unlikely(seen.bad))
		slot->faults++;
}
