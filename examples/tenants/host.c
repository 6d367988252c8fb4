/* SPDX-License-Identifier: MIT
 *
 * host.c: connections of several tenants; tables of each tenant are made in full and then
 * put in the place of the old ones, so that no packet ever meets half of a table.
 */
#include "../example.h"
#include "tenants.h"

enum { CONNS = 8, PACKETS = 100 };

PINTLE_HOOK(int, on_packet, struct conn *, c, int, port)

static struct pintle_map *map_of(struct pintle_object *obj, const char *name)
{
	struct pintle_map *map = pintle_map_find(obj, name);

	if (!map)
		exit(1);
	return map;
}

/* All ports of @tenant cost @price from now on. */
static void set_table(struct pintle_host *host, struct pintle_object *obj,
		      unsigned int tenant, unsigned int price)
{
	struct pintle_map *tables = map_of(obj, "tables");
	struct pintle_map *fresh = pintle_map_create_inner(tables, "table", 0);
	unsigned int ports[PORTS], prices[PORTS], n = PORTS;

	check(host, !fresh);
	for (unsigned int i = 0; i < PORTS; i++) {
		ports[i] = 80 + i;
		prices[i] = price;
	}
	check(host, pintle_map_update_batch(fresh, ports, prices, &n, 0));
	check(host, pintle_map_set_map(tables, &tenant, fresh, 0));
	pintle_map_close(fresh); /* it belongs to the map of maps now */
}

static int traffic(struct conn *conns)
{
	int spent = 0;

	for (int i = 0; i < PACKETS; i++)
		spent += on_packet(&conns[i % CONNS], 80 + i % PORTS);
	return spent;
}

int main(int argc, char **argv)
{
	struct pintle_host *host = host_new();
	struct conn *conns = calloc(CONNS, sizeof(*conns));
	unsigned long limit = 40;
	struct pintle_object *obj;
	unsigned int zero = 0;

	check(host, pintle_storable(host, "conn", .dtor = free));
	check(host, pintle_hook_add(host, on_packet));
	obj = pintle_open(host, argc == 2 ? argv[1] : NULL, NULL);
	check(host, !obj || pintle_load(obj));
	check(host, pintle_prog_attach(pintle_prog_find(obj, "dispatch")));
	check(host, pintle_map_set_prog(map_of(obj, "protocols"), 0,
					pintle_prog_find(obj, "plain")));
	check(host, pintle_map_set_prog(map_of(obj, "protocols"), 1,
					pintle_prog_find(obj, "twice")));
	check(host, pintle_map_update(map_of(obj, "budget"), &zero, &limit, 0));
	check(host, pintle_map_freeze(map_of(obj, "budget")));
	for (int i = 0; conns && i < CONNS; i++)
		conns[i] = (struct conn){i % TENANTS, i % PROTOCOLS};
	printf("without tables: %d\n", traffic(conns));
	for (unsigned int t = 0; t < TENANTS; t++)
		set_table(host, obj, t, 1 + t);
	printf("prices 1 to 4, up to 40 a connection: %d\n", traffic(conns));
	printf("used up: %d\n", traffic(conns));
	for (int i = 0; i < CONNS; i++)
		pintle_storage_free(host, &conns[i]); /* as if it were freed */
	for (unsigned int t = 0; t < TENANTS; t++)
		set_table(host, obj, t, 1);
	printf("fresh connections, everything costs 1: %d\n", traffic(conns));
	printf("%u connections have spent something\n",
	       pintle_map_count(map_of(obj, "spent")));
	pintle_close(obj);
	pintle_host_free(host);
	free(conns);
	return 0;
}
