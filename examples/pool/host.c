/* SPDX-License-Identifier: MIT
 *
 * host.c: jobs come and go; the program keeps its own record of each, from a pool that it
 * allocated itself.
 */
#include "../example.h"

enum { JOBS = 1000, AT_ONCE = 8 };

PINTLE_HOOK(int, on_start, int, job, int, cost)
PINTLE_HOOK(int, on_done, int, status)

static unsigned long count_objects(struct pintle_host *host);

static int add_total(void *data, const struct pintle_type_total *total)
{
	if (total->local)
		*(unsigned long *)data += total->objects;
	return 0;
}

static unsigned long count_objects(struct pintle_host *host)
{
	unsigned long n = 0;

	check(host, pintle_refs_totals(host, add_total, &n));
	return n;
}

int main(int argc, char **argv)
{
	struct pintle_host *host = host_new();
	struct pintle_object *obj;
	long cost = 0;

	check(host, pintle_hook_add(host, on_start));
	check(host, pintle_hook_add(host, on_done));
	obj = load(host, argc, argv);
	for (int i = 0; i < JOBS; i += AT_ONCE) {
		for (int k = 0; k < AT_ONCE; k++)
			on_start(i + k, 3);
		for (int k = 0; k < AT_ONCE; k++)
			cost += on_done(0);
	}
	printf("%d jobs, cost %ld, %lu objects in the pool\n", JOBS, cost, count_objects(host));
	pintle_close(obj);
	pintle_drain(host);
	printf("%lu objects left\n", count_objects(host));
	pintle_host_free(host);
	return 0;
}
