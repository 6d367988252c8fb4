/* SPDX-License-Identifier: MIT
 *
 * refs.c: a host that keeps a million references in a hash map: time and memory for each.
 *
 *	refs REFS.bpf.o [NUMBER]
 */
#include <pintle/pintle.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct item {
	int refs, id;
};

static long alive;

struct item *item_new(int id);
void item_put(struct item *item);

__attribute__((noinline, used)) struct item *item_new(int id)
{
	struct item *item = malloc(sizeof(*item));

	if (item)
		*item = (struct item){1, id};
	alive += item != NULL;
	return item;
}

__attribute__((noinline, used)) void item_put(struct item *item)
{
	if (__atomic_sub_fetch(&item->refs, 1, __ATOMIC_ACQ_REL))
		return;
	alive--;
	free(item);
}

static void item_dtor(void *obj)
{
	item_put(obj);
}

PINTLE_HOOK(int, on_key, int, key)
PINTLE_HOOK(int, on_read, int, key)

static void check(struct pintle_host *host, int failed)
{
	if (!failed)
		return;
	fprintf(stderr, "%s\n", pintle_host_error(host));
	exit(1);
}

static double start;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void row(const char *what, int n)
{
	printf("%-34s %8.1f ns a reference\n", what, (now() - start) / n);
	start = now();
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 1000000, wrong = 0;
	struct pintle_host *host = pintle_host_new(NULL);
	struct pintle_object *obj;
	size_t before, after;
	long found;

	check(host, !host || pintle_host_add_self(host));
	check(host, pintle_export(host, item_new, PINTLE_ACQUIRE | PINTLE_RET_NULL));
	check(host, pintle_export(host, item_put, PINTLE_RELEASE));
	check(host, pintle_storable(host, "item", .dtor = item_dtor));
	check(host, pintle_hook_add(host, on_key));
	check(host, pintle_hook_add(host, on_read));
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	obj = pintle_open(host, argv[1], NULL);
	check(host, !obj || pintle_load(obj) || pintle_attach(obj));
	start = now();
	for (int i = 0; i < n; i++)
		wrong += on_key(i) != 0;
	row("insert, make, store", n);
	after = mallinfo2().uordblks + mallinfo2().hblkhd;
	for (int i = 0; i < n; i++)
		wrong += on_read(i) != i;
	row("look up, load, read", n);
	found = pintle_refs_each(host, "item", NULL, NULL, NULL);
	row("list (who holds what)", n);
	pintle_close(obj);
	pintle_drain(host);
	row("teardown, destructors included", n);
	printf("%-34s %8.1f bytes a reference, objects of %zu included\n", "memory",
	       (double)(after - before) / n, malloc_usable_size(malloc(sizeof(struct item))) + 8);
	pintle_host_free(host);
	if (wrong || found != n || alive)
		printf("WRONG: %d failed, %ld found, %ld left\n", wrong, found, alive);
	return wrong || found != n || alive;
}
