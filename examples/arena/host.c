/* SPDX-License-Identifier: MIT
 *
 * host.c: a program keeps a hash table in an arena; the host goes through it by plain
 * pointers, and sets counters back.
 */
#include "../example.h"
#include "table.h"

enum { KEYS = 500, ROUNDS = 4 };

PINTLE_HOOK(int, on_key, unsigned long, key)

int main(int argc, char **argv)
{
	struct pintle_host *host = host_new();
	unsigned long entries = 0, hits = 0, again = 0;
	struct pintle_object *obj;
	struct table *table;

	check(host, pintle_hook_add(host, on_key));
	obj = load(host, argc, argv);
	table = pintle_arena_base(pintle_map_find(obj, "arena"), NULL);
	for (unsigned long i = 0; i < KEYS * ROUNDS; i++)
		on_key(i % KEYS);
	for (int b = 0; b < BUCKETS; b++)
		for (struct entry *e = table->buckets[b]; e; e = e->next) {
			entries++;
			hits += e->hits;
			e->hits = 0; /* which the program sees */
		}
	for (unsigned long i = 0; i < KEYS; i++)
		on_key(i);
	for (int b = 0; b < BUCKETS; b++)
		for (struct entry *e = table->buckets[b]; e; e = e->next)
			again += e->hits;
	printf("%lu keys, %lu of them found, %lu hits, then %lu\n", table->entries, entries, hits,
	       again);
	pintle_close(obj);
	pintle_host_free(host);
	return 0;
}
