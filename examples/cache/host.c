/* SPDX-License-Identifier: MIT
 *
 * host.c: a program keeps references to users, so that each is looked up once.
 */
#include "../example.h"
#include "cache.h"

enum { USERS = 100, EVENTS = 10000 };

static int lookups, alive;

/* As if it cost something. */
struct user *user_find(int id)
{
	struct user *u;

	lookups++;
	if (id < 0 || id >= USERS)
		return NULL;
	u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	*u = (struct user){id, 1, id * 10};
	alive++;
	return u;
}

void user_put(struct user *u)
{
	if (__atomic_sub_fetch(&u->refs, 1, __ATOMIC_ACQ_REL))
		return;
	alive--;
	free(u);
}

static void user_dtor(void *obj)
{
	user_put(obj);
}

PINTLE_HOOK(int, on_event, int, id, int, bytes)

int main(int argc, char **argv)
{
	struct pintle_host *host = host_new();
	struct pintle_object *obj;
	long sum = 0;

	check(host, pintle_export(host, user_find, PINTLE_ACQUIRE | PINTLE_RET_NULL));
	check(host, pintle_export(host, user_put, PINTLE_RELEASE));
	check(host, pintle_storable(host, "user", .dtor = user_dtor));
	check(host, pintle_hook_add(host, on_event));
	obj = load(host, argc, argv);
	for (int i = 0; i < EVENTS; i++)
		sum += on_event(i % USERS, 1);
	printf("%d events, %d lookups, %d users kept, sum %ld\n", EVENTS, lookups, alive, sum);
	pintle_close(obj);
	pintle_host_free(host);
	printf("%d users left\n", alive);
	return alive != 0;
}
