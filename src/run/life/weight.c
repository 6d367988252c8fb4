/* SPDX-License-Identifier: MIT
 *
 * weight.c: how much memory a deferred call gives back, about (rule book J8, J10): what the
 * host said of a type, else the struct's size, for its destructor and for the functions
 * that release such objects.
 *
 * The list only grows while programs run; readers follow it without a lock.
 */
#include "run/run.h"

struct weight {
	struct weight *next;
	void (*fn)(void *obj);
	u64 bytes;
};

int weight_add(struct pintle_host *host, void (*fn)(void *), u64 bytes)
{
	struct weight *w;

	if (weight_of(host, fn))
		return 0;
	w = arena_new_of(host->arena, struct weight);
	if (!w)
		return -ENOMEM;
	w->next = (struct weight *)(uintptr_t)host->weights;
	w->fn = fn;
	w->bytes = bytes;
	/* release: pairs with the acquire in weight_of() */
	atomic_store_explicit(&host->weights, w, memory_order_release);
	return 0;
}

u64 weight_of(const struct pintle_host *host, void (*fn)(void *))
{
	/* acquire: pairs with the release in weight_add() */
	const struct weight *w = atomic_load_explicit(&host->weights, memory_order_acquire);

	while (w && w->fn != fn)
		w = __atomic_load_n(&w->next, __ATOMIC_ACQUIRE);
	return w ? w->bytes : 0;
}

/* Its code is about to go. Who follows the list meanwhile finds the rest of it. */
void weight_remove(struct pintle_host *host, void (*fn)(void *))
{
	const struct weight *w = host->weights;
	struct weight *prev = NULL;

	for (; w && w->fn != fn; w = w->next)
		prev = (struct weight *)(uintptr_t)w;
	if (w && prev)
		__atomic_store_n(&prev->next, w->next, __ATOMIC_RELEASE);
	else if (w)
		atomic_store_explicit(&host->weights, w->next, memory_order_release);
}
