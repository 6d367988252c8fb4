/* SPDX-License-Identifier: MIT
 *
 * maps.c: maps, slots and helpers end to end: programs of maps.bpf.c, run by a host with
 * counted pieces (rule book K.14).
 */
#include "setup.h"

struct piece {
	int refs, id;
};

static int alive, put; /* pieces made and not freed; destructor calls */

PINTLE_HOOK(int, maps_hook, int, key)

__attribute__((noinline, used)) struct piece *piece_new(int id);
__attribute__((noinline, used)) void piece_put(struct piece *p);

struct piece *piece_new(int id)
{
	struct piece *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	*p = (struct piece){1, id};
	alive++;
	return p;
}

void piece_put(struct piece *p)
{
	if (--p->refs)
		return;
	p->id = -1;
	alive--;
	free(p);
}

static void drop(void *piece)
{
	put++;
	piece_put(piece);
}

static char printed[256];

static void print(void *data, enum pintle_log_level level, const char *line)
{
	if (level == PINTLE_LOG_PROGRAM)
		snprintf(printed, sizeof(printed), "%s", line);
}

static int add(struct pintle_host *host)
{
	TRY(pintle_export(host, piece_new, PINTLE_ACQUIRE | PINTLE_RET_NULL));
	TRY(pintle_export(host, piece_put, PINTLE_RELEASE));
	TRY(pintle_storable(host, "piece", .dtor = drop));
	return pintle_hook_add(host, maps_hook);
}

static struct setup begin(void)
{
	alive = put = 0;
	return setup_begin(PINTLE_OPTS(pintle_host_opts, .log = print), add,
			   "run/maps.bpf.o");
}

static void end(struct setup s)
{
	pintle_close(s.object);
	pintle_drain(s.host);
	CHECK_EQ(alive, 0); /* M18 */
	pintle_host_free(s.host);
}

struct value {
	void *one;
	uint64_t n;
	uint32_t lock, pad;
};

static const char *joined(const char *a, const char *b)
{
	static char out[4][32];
	static unsigned turn;
	char *to = out[turn++ % 4];

	snprintf(to, sizeof(out[0]), "%s_%s", a, b);
	return to;
}

/* M01-M06, M08, M18. */
static void check_slots(struct setup s, const char *kind)
{
	struct pintle_map *map = setup_map(s, kind);
	struct pintle_type_stats stats = {sizeof(stats)};
	struct value v = {(void *)0x1234, 5, 9, 0}, out;
	uint32_t key = 2;
	int before = put, others = alive; /* of maps checked earlier */

	CHECK_EQ(pintle_map_update(map, &key, &v, 0), 0);
	CHECK_EQ(setup_run(s, joined("fill", kind), 2), 0); /* M01 */
	CHECK_EQ(setup_run(s, joined("fill", kind), 2), 102);
	pintle_drain(s.host);
	CHECK_EQ(alive, others + 1);
	CHECK_EQ(pintle_type_stats(s.host, "piece", &stats), 0);
	CHECK_EQ(stats.stored, (unsigned)others + 1);
	CHECK_EQ(pintle_map_lookup(map, &key, &out), 0);
	CHECK(!out.one && !out.lock && out.n == 5); /* M02 */
	v.n = 6;
	CHECK_EQ(pintle_map_update(map, &key, &v, PINTLE_LOCK), 0); /* M06, M07 */
	CHECK_EQ(pintle_map_lookup(map, &key, &out), 0);
	CHECK_EQ(out.n, 6);
	pintle_drain(s.host);
	CHECK_EQ(put, before);
	CHECK_EQ(pintle_map_update(map, &key, &v, 0), 0); /* M03, M05 */
	pintle_drain(s.host);
	CHECK_EQ(put, before + 1);
	CHECK_EQ(setup_run(s, joined("fill", kind), 2), 0);
	CHECK_EQ(setup_run(s, joined("update", kind), 2), 0); /* M04, M05 */
	pintle_drain(s.host);
	CHECK_EQ(put, before + 2);
	CHECK_EQ(setup_run(s, joined("fill", kind), 2), 0);
	CHECK_EQ(pintle_map_delete(map, &key), strcmp(kind, "array") ? 0 : -EINVAL);
	pintle_drain(s.host);
	CHECK_EQ(put, before + 2 + !!strcmp(kind, "array")); /* M08, M09 */
}

TEST(run_maps_slots)
{
	struct setup s = begin();

	check_slots(s, "array");
	check_slots(s, "hash");
	check_slots(s, "lazy");
	end(s);
}

/* M13, M14. */
TEST(run_maps_stale_value)
{
	static const char *const kinds[] = {"hash", "lazy"};
	struct setup s = begin();

	for (int i = 0; i < 2; i++) {
		int before = put;

		CHECK_EQ(setup_run(s, joined("update", kinds[i]), 3), 0);
		CHECK_EQ(setup_run(s, joined("fill", kinds[i]), 3), 0);
		CHECK_EQ(setup_run(s, joined("stale", kinds[i]), 3), 0);
		pintle_drain(s.host);
		CHECK_EQ(put, before + 2);
		CHECK_EQ(alive, 0);
		for (int n = 0; n < 50; n++) {
			CHECK_EQ(setup_run(s, joined("update", kinds[i]), 3), 0);
			CHECK_EQ(setup_run(s, joined("fill", kinds[i]), 3), 0);
		}
		CHECK_EQ(setup_run(s, joined("update", kinds[i]), 3), 0);
		pintle_drain(s.host);
		CHECK_EQ(alive, 0);
	}
	end(s);
}

/* M11, M12. */
TEST(run_maps_percpu)
{
	struct setup s = begin();
	struct pintle_map *map = setup_map(s, "percpu");
	uint32_t size = pintle_map_value_size(map), key = 1;
	char *values = calloc(1, size);

	CHECK_EQ(size % 16, 0);
	CHECK_EQ(setup_run(s, "fill_percpu", 1), 0);
	CHECK_EQ(setup_run(s, "update_percpu", 1), 0);
	pintle_drain(s.host);
	CHECK_EQ(put, 1);
	CHECK_EQ(setup_run(s, "fill_percpu", 1), 0);
	CHECK_EQ(pintle_map_lookup(map, &key, values), 0);
	CHECK_EQ(pintle_map_update(map, &key, values, 0), 0);
	pintle_drain(s.host);
	CHECK_EQ(put, 2);
	free(values);
	end(s);
}

TEST(run_maps_callbacks)
{
	struct setup s = begin();
	struct pintle_map *map = setup_map(s, "hash");
	struct value v = {0};
	uint64_t *total = pintle_map_data(setup_map(s, ".bss"), NULL);

	CHECK(total);
	for (uint32_t key = 1; key <= 10; key++) {
		v.n = key;
		CHECK_EQ(pintle_map_update(map, &key, &v, 0), 0);
	}
	CHECK_EQ(setup_run(s, "sum_hash", 0), 10);
	CHECK_EQ(*total, 55);
	CHECK_EQ(setup_run(s, "loops", 0), 10);
	CHECK_EQ(*total, 45);
	CHECK_EQ(setup_run(s, "locked", 7), 7);
	CHECK_EQ(setup_run(s, "locked", 7), 8);
	CHECK_EQ(setup_run(s, "locked", 77), -1);
	CHECK_EQ(setup_run(s, "prints", 5), 0);
	CHECK_STR(printed, "k5 of 1");
	end(s);
}
