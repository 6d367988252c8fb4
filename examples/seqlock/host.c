/* SPDX-License-Identifier: MIT
 *
 * host.c: settings that are replaced while many read them. Their memory comes from a small
 * pool and is used again at once (PINTLE_RCU_NONE): readers take no reference and learn
 * from the version of the field whether what they read counts.
 */
#include "../example.h"
#include "seqlock.h"

#include <pthread.h>

enum { READERS = 2, VERSIONS = 20000, POOL = 4 };

static struct settings pool[POOL];
static int used, stop, wrong;
static long good, again;

struct settings *settings_next(int limit)
{
	for (int i = 0; i < POOL; i++) {
		struct settings *s = &pool[i];
		int none = 0;

		if (!__atomic_compare_exchange_n(&s->refs, &none, 1, 0, __ATOMIC_ACQUIRE,
						 __ATOMIC_RELAXED))
			continue;
		__atomic_add_fetch(&used, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&s->limit, limit, __ATOMIC_RELAXED);
		__atomic_store_n(&s->limit_again, limit, __ATOMIC_RELAXED);
		return s;
	}
	return NULL;
}

void settings_put(struct settings *s)
{
	__atomic_store_n(&s->limit, -1, __ATOMIC_RELAXED); /* whoever reads on sees it */
	__atomic_sub_fetch(&used, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&s->refs, 0, __ATOMIC_RELEASE);
}

static void settings_dtor(void *obj)
{
	settings_put(obj);
}

PINTLE_HOOK(int, on_change, int, limit)
PINTLE_HOOK(int, on_question, int, unused)

static void *readers(void *data)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		int limit = on_question(0);

		if (limit == -2)
			__atomic_add_fetch(&again, 1, __ATOMIC_RELAXED);
		else if (limit < 0)
			__atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
		else
			__atomic_add_fetch(&good, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct pintle_host *host = host_new();
	struct pintle_object *obj;
	pthread_t t[READERS];

	check(host, pintle_export(host, settings_next, PINTLE_ACQUIRE | PINTLE_RET_NULL));
	check(host, pintle_export(host, settings_put, PINTLE_RELEASE));
	check(host, pintle_storable(host, "settings", .dtor = settings_dtor,
				    .rcu = PINTLE_RCU_NONE));
	check(host, pintle_hook_add(host, on_change));
	check(host, pintle_hook_add(host, on_question));
	obj = load(host, argc, argv);
	on_change(1);
	for (int i = 0; i < READERS; i++)
		pthread_create(&t[i], NULL, readers, NULL);
	for (int i = 2; i <= VERSIONS || !__atomic_load_n(&good, __ATOMIC_RELAXED); i++)
		on_change(i);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < READERS; i++)
		pthread_join(t[i], NULL);
	printf("readers got settings: %s, wrong ones: %d\n", good ? "yes" : "no", wrong);
	pintle_close(obj);
	pintle_host_free(host);
	printf("%d settings in use\n", used);
	return used || wrong;
}
