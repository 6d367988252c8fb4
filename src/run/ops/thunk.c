/* SPDX-License-Identifier: MIT
 *
 * thunk.c: C functions behind the pointers of operations tables. Each is compiled code that
 * knows its number; what it runs is in a table of the process. So tables need no executable
 * memory, and there are as many at one time as there are thunks: NR_THUNKS.
 *
 * A thunk has five integer parameters whatever its caller passes: in every calling
 * convention that this library runs on, fewer and narrower arguments come in the same
 * registers; what is above them, or was not passed, is cleaned or not looked at.
 *
 * Ordering: a call's description is complete before its thunk is taken: the release in
 * thunk_take() pairs with the acquire in enter(). It stays while anybody may call: the
 * object's life (ops.h). Progress: wait-free.
 */
#include "run/hook.h"
#include "run/ops/ops.h"

enum { NR_THUNKS = 512 };

static atomic(const struct ops_call *) targets[NR_THUNKS];

/* ------------------------------------------------------------------ a call */

static u64 narrow(u64 value, u32 size, bool is_signed)
{
	u32 shift = 64 - size * 8;

	if (size >= 8)
		return value;
	return is_signed ? (u64)((s64)(value << shift) >> shift) : value << shift >> shift;
}

static u64 result_of(const struct ops_call *call, u64 r0)
{
	if (!call->ret_size)
		return 0;
	return call->ret_bool ? !!narrow(r0, call->ret_size, false) : r0;
}

/* A call from outside that begins with one of two tables is on that one's side, whatever
 * happens to the place meanwhile. */
static __attribute__((cold, noinline)) u64 run_on_side(const struct run_scope *scope,
						       const struct swap *swap,
						       const struct ops_call *call,
						       const u64 *ctx)
{
	u64 before = scope->slot->side, r0;
	bool taken = swap_take(swap, scope, call->prog->object != swap->old);

	r0 = run_prog(scope, call->prog, ctx);
	if (taken)
		scope->slot->side = before;
	return r0;
}

static u64 enter(u32 i, const u64 *args)
{
	/* acquire: pairs with thunk_take() */
	const struct ops_call *call = atomic_load_explicit(&targets[i], memory_order_acquire);
	const struct swap *swap;
	struct run_scope scope;
	u64 ctx[5] = {0}, r0;

	if (unlikely(!call) || unlikely(!run_begin(&scope, call->prog->object->host,
						    call->prog->image->sleepable)))
		return 0;
	for (u32 a = 0; a < call->nargs; a++)
		ctx[a] = narrow(args[a], call->size[a], call->is_signed[a]);
	/* acquire: pairs with the release in ops_places_open() */
	swap = atomic_load_explicit(&call->table->swap, memory_order_acquire);
	r0 = unlikely(swap != NULL) ? run_on_side(&scope, swap, call, ctx)
				    : run_prog(&scope, call->prog, ctx);
	run_end(&scope);
	return result_of(call, r0);
}

/* ------------------------------------------------------------------ the functions */

#define THUNK(n)                                                                         \
	static u64 thunk_##n(u64 a, u64 b, u64 c, u64 d, u64 e)                          \
	{                                                                                \
		return enter(0##n, (const u64[5]){a, b, c, d, e});                       \
	}
#define ADDRESS(n) (void (*)(void))thunk_##n,
/* Octal digits, so that a name is a number. */
#define EIGHT(of, n) of(n##0) of(n##1) of(n##2) of(n##3) of(n##4) of(n##5) of(n##6) of(n##7)
#define EIGHTS(of, n)                                                                    \
	EIGHT(of, n##0) EIGHT(of, n##1) EIGHT(of, n##2) EIGHT(of, n##3)                  \
	EIGHT(of, n##4) EIGHT(of, n##5) EIGHT(of, n##6) EIGHT(of, n##7)
#define ALL(of)                                                                          \
	EIGHTS(of, 0) EIGHTS(of, 1) EIGHTS(of, 2) EIGHTS(of, 3)                          \
	EIGHTS(of, 4) EIGHTS(of, 5) EIGHTS(of, 6) EIGHTS(of, 7)

ALL(THUNK)

static void (*const thunks[NR_THUNKS])(void) = {ALL(ADDRESS)};

int thunk_take(struct ops_call *call, void (**fn)(void))
{
	for (u32 i = 0; i < NR_THUNKS; i++) {
		const struct ops_call *none = NULL;

		/* release: pairs with the acquire in enter() */
		if (!atomic_compare_exchange_strong_explicit(&targets[i], &none, call,
							     memory_order_release,
							     memory_order_relaxed))
			continue;
		call->thunk = i;
		*fn = thunks[i];
		return 0;
	}
	return -ENOSPC;
}

void thunk_give(struct ops_call *call)
{
	if (call->thunk != NO_THUNK)
		atomic_store_explicit(&targets[call->thunk], NULL, memory_order_relaxed);
	call->thunk = NO_THUNK;
}
