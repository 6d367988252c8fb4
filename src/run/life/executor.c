/* SPDX-License-Identifier: MIT
 *
 * executor.c: deferred calls that only certain threads may make (rule book J23): the
 * destructor of a type with an executor, and functions exported to release such objects.
 *
 * The list of such functions changes at registration; readers follow it without a lock.
 * What the executor was given counts as out until pintle_call_run() has made the call;
 * barriers wait for that.
 */
#include "run/run.h"

#include <time.h>

struct affine {
	struct affine *next;
	void (*fn)(void *obj);
	struct pintle_executor executor;
};

struct pintle_call {
	struct pintle_host *host;
	void (*fn)(void *obj);
	void *obj;
};

int executor_add(struct pintle_host *host, void (*fn)(void *),
		 const struct pintle_executor *executor)
{
	struct affine *a = arena_new_of(host->arena, struct affine);

	if (!a)
		return -ENOMEM;
	a->next = (struct affine *)(uintptr_t)host->affine;
	a->fn = fn;
	opts_copy(&a->executor, sizeof(a->executor), executor, executor->size);
	/* release: pairs with the acquire in executor_of() */
	atomic_store_explicit(&host->affine, a, memory_order_release);
	return 0;
}

const struct pintle_executor *executor_of(const struct pintle_host *host, void (*fn)(void *))
{
	/* acquire: pairs with the release in executor_add() */
	const struct affine *a = atomic_load_explicit(&host->affine, memory_order_acquire);

	while (a && a->fn != fn)
		a = __atomic_load_n(&a->next, __ATOMIC_ACQUIRE);
	return a ? &a->executor : NULL;
}

/* With no call of @fn left: its code is about to go. Who follows the list meanwhile finds
 * the rest of it. */
void executor_remove(struct pintle_host *host, void (*fn)(void *))
{
	const struct affine *a = host->affine;
	struct affine *prev = NULL;

	for (; a && a->fn != fn; a = a->next)
		prev = (struct affine *)(uintptr_t)a;
	if (a && prev)
		__atomic_store_n(&prev->next, a->next, __ATOMIC_RELEASE);
	else if (a)
		atomic_store_explicit(&host->affine, a->next, memory_order_release);
}

bool executor_submit(struct pintle_host *host, const struct pintle_executor *executor,
		     void (*fn)(void *), void *obj)
{
	struct pintle_call *call = malloc(sizeof(*call));

	if (!call)
		return false;
	*call = (struct pintle_call){host, fn, obj};
	atomic_fetch_add_explicit(&host->calls_out, 1, memory_order_relaxed);
	executor->submit(executor->data, call);
	return true;
}

void pintle_call_run(struct pintle_call *call)
{
	struct pintle_host *host = call->host;

	call->fn(call->obj);
	free(call);
	/* release: pairs with the acquire in executor_wait() */
	atomic_fetch_sub_explicit(&host->calls_out, 1, memory_order_release);
}

void executor_wait(struct pintle_host *host)
{
	static const struct timespec nap = {.tv_nsec = 200000};

	/* acquire: pairs with the release in pintle_call_run() */
	while (atomic_load_explicit(&host->calls_out, memory_order_acquire)) {
		for (const struct affine *a = host->affine; a; a = a->next)
			if (a->executor.pump)
				a->executor.pump(a->executor.data);
		nanosleep(&nap, NULL);
	}
}
