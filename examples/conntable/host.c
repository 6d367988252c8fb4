/* SPDX-License-Identifier: MIT
 *
 * host.c: connections that open and close while other threads' packets look them up.
 */
#include "../example.h"
#include "conntable.h"

#include <pthread.h>

enum { CONNS = 64, ROUNDS = 200, THREADS = 3 };

static int alive, stop;
static long found;

struct conn *conn_get(struct conn *c)
{
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

/* A reader may come when the count is 0 already: then it must not be raised. */
struct conn *conn_tryget(struct conn *c)
{
	int n = __atomic_load_n(&c->refs, __ATOMIC_RELAXED);

	while (n)
		if (__atomic_compare_exchange_n(&c->refs, &n, n + 1, 1, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return c;
	return NULL;
}

/* The last put frees at once: the engine postpones its own (PINTLE_DEFERRED_PUT), the host
 * its last one by pintle_defer(). */
void conn_put(struct conn *c)
{
	if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL))
		return;
	__atomic_sub_fetch(&alive, 1, __ATOMIC_RELAXED);
	free(c);
}

void conn_account(struct conn *c, int bytes)
{
	__atomic_add_fetch(&c->bytes, bytes, __ATOMIC_RELAXED);
}

static void conn_dtor(void *obj)
{
	conn_put(obj);
}

PINTLE_HOOK(int, on_open, struct conn *, c)
PINTLE_HOOK(int, on_close, struct conn *, c)
PINTLE_HOOK(int, on_packet, unsigned int, id, int, bytes)

static void *packets(void *data)
{
	unsigned int id = (unsigned int)(size_t)data;
	long n = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		n += on_packet(id++ % CONNS, 1500) == 0;
	__atomic_add_fetch(&found, n, __ATOMIC_RELAXED);
	return NULL;
}

static void come_and_go(struct pintle_host *host)
{
	for (unsigned int i = 0; i < ROUNDS * CONNS; i++) {
		struct conn *c = calloc(1, sizeof(*c));

		if (!c)
			break;
		*c = (struct conn){i % CONNS, 1, 0};
		__atomic_add_fetch(&alive, 1, __ATOMIC_RELAXED);
		on_open(c);
		if (i % 3 == 0)
			on_close(c);
		pintle_defer(host, conn_dtor, c);
	}
}

int main(int argc, char **argv)
{
	struct pintle_host *host = host_new();
	struct pintle_object *obj;
	pthread_t t[THREADS];

	check(host, pintle_export(host, conn_get, PINTLE_ACQUIRE));
	check(host, pintle_export(host, conn_tryget,
				  PINTLE_ACQUIRE | PINTLE_RET_NULL | PINTLE_RCU));
	check(host, pintle_export(host, conn_put, PINTLE_RELEASE));
	check(host, pintle_export(host, conn_account, 0));
	check(host, pintle_storable(host, "conn", .dtor = conn_dtor));
	check(host, pintle_hook_add(host, on_open));
	check(host, pintle_hook_add(host, on_close));
	check(host, pintle_hook_add(host, on_packet));
	obj = load(host, argc, argv);
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, packets, (void *)i);
	come_and_go(host);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	printf("packets found their connections: %s\n", found ? "yes" : "no");
	pintle_close(obj);
	pintle_host_free(host);
	printf("%d connections left\n", alive);
	return alive != 0;
}
