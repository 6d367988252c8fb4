/* SPDX-License-Identifier: MIT
 *
 * writes.c: what hosts write over values with fields, by every operation of the API and
 * in every kind of map (F4, F7): bytes of the host's are never taken for a pointer, what
 * a field held is given back exactly once, and an operation that fails leaves it alone.
 */
#include "setup.h"

#define SLOTS 3

struct gem {
	int refs, id;
};

static int alive, dropped; /* gems made and not freed; destructor calls */

PINTLE_HOOK(int, writes_hook, int, key, struct gem *, object)

__attribute__((noinline, used)) struct gem *gem_new(int id);
__attribute__((noinline, used)) void gem_put(struct gem *g);

struct gem *gem_new(int id)
{
	struct gem *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	*g = (struct gem){1, id};
	alive++;
	return g;
}

void gem_put(struct gem *g)
{
	CHECK(g->refs-- > 0);
	if (g->refs)
		return;
	alive--;
	free(g);
}

static void drop(void *gem)
{
	dropped++;
	gem_put(gem);
}

static bool may_keep;
static int kept; /* calls of .get */

static void get(void *gem)
{
	kept++;
	((struct gem *)gem)->refs++;
}

__attribute__((noinline, used)) int gem_take(int how, struct gem *g);

/* The host puts it at once. */
int gem_take(int how, struct gem *g)
{
	gem_put(g);
	return how;
}

static int add(struct pintle_host *host)
{
	TRY(pintle_export(host, gem_take, PINTLE_CONSUME));
	TRY(pintle_export(host, gem_new, PINTLE_ACQUIRE | PINTLE_RET_NULL));
	TRY(pintle_export(host, gem_put, PINTLE_RELEASE));
	TRY(pintle_storable(host, "gem", .dtor = drop, .get = may_keep ? get : NULL));
	return pintle_hook_add(host, writes_hook);
}

struct value {
	uint64_t ref, n, un, loc, user;
};

/* One kind under test. */
struct kind {
	const char *name;
	bool percpu, indexed; /* by index: keys do not go */
	bool single;	      /* one key only */
};

static const struct kind kinds[] = {
	{"array", .indexed = true},
	{"hash"},
	{"lazy"},
	{"lru"},
	{"percpu_array", .percpu = true, .indexed = true},
	{"percpu_hash", .percpu = true},
	{"percpu_lru", .percpu = true},
	{"lpm"},
	{"storage", .single = true},
	{"inner"},
};

struct subject {
	struct setup s;
	const struct kind *kind;
	struct pintle_map *map;
	struct gem *object;
	uint32_t key_size, value_size;
	char keys[2][8];
	struct value values[2 * SLOTS];
};

static void set_key(struct subject *t, int i)
{
	uint32_t lpm[2] = {32, (uint32_t)i};
	uintptr_t object = (uintptr_t)t->object;
	/* Of a batch the keys lie in a row. */
	char *to = t->keys[0] + i * (int)t->key_size;

	if (t->kind->single)
		memcpy(to, &object, sizeof(object));
	else if (t->key_size == sizeof(lpm))
		memcpy(to, lpm, sizeof(lpm));
	else
		memcpy(to, &i, sizeof(i));
}

static void begin(struct subject *t, const struct kind *kind, enum pintle_jit jit)
{
	struct pintle_host_opts opts = {sizeof(opts), .max_slots = SLOTS, .jit = jit};

	alive = dropped = 0;
	memset(t, 0, sizeof(*t));
	t->s = setup_begin(&opts, add, "run/writes.bpf.o");
	t->kind = kind;
	t->map = setup_map(t->s, kind->name);
	t->object = gem_new(0);
	t->key_size = pintle_map_key_size(t->map);
	t->value_size = pintle_map_value_size(t->map);
	CHECK_EQ(t->value_size, sizeof(struct value) * (kind->percpu ? SLOTS : 1));
	for (int i = 0; i < 2; i++)
		set_key(t, i);
}

static void end(struct subject *t)
{
	CHECK_EQ(pintle_map_delete(t->map, t->keys),
		 t->kind->indexed ? -EINVAL : -ENOENT);
	pintle_storage_free(t->s.host, t->object);
	gem_put(t->object);
	pintle_close(t->s.object);
	pintle_drain(t->s.host);
	CHECK_EQ(alive, 0);
	pintle_host_free(t->s.host);
}

static int run(struct subject *t, const char *what, int key)
{
	uint64_t args[] = {(uint64_t)key, (uintptr_t)t->object}, result = 0;
	struct pintle_prog *prog;
	char name[64];

	snprintf(name, sizeof(name), "%s_%s", what, t->kind->name);
	prog = pintle_prog_find(t->s.object, name);
	CHECK(prog);
	CHECK_EQ(pintle_prog_run(prog, args, &result), 0);
	return (int)result;
}

/* How many keys a batch has. */
static int nkeys(const struct subject *t)
{
	return t->kind->single ? 1 : 2;
}

enum { FULL = 1 | 2 | 4 };

/* All keys there, with every field filled by a program. */
static void fill_all(struct subject *t)
{
	memset(t->values, 0x41, sizeof(t->values));
	for (int i = 0; i < nkeys(t); i++) {
		char *key = t->keys[0] + i * (int)t->key_size;

		CHECK_EQ(pintle_map_update(t->map, key, t->values, PINTLE_ANY), 0);
		CHECK_EQ(run(t, "look", i), 0); /* nothing of the host's came in */
		CHECK_EQ(run(t, "fill", i), 0);
		CHECK_EQ(run(t, "look", i), FULL);
	}
	pintle_drain(t->s.host);
	CHECK_EQ(alive, 1 + 2 * nkeys(t));
	dropped = 0;
}

/* Of @n keys: fields as @left says, and what was in them given back, or not. */
static void check_left(struct subject *t, int n, int left)
{
	for (int i = 0; i < n; i++)
		CHECK_EQ(run(t, "look", i), left);
	pintle_drain(t->s.host);
	CHECK_EQ(dropped, left == FULL ? 0 : 2 * n);
	CHECK_EQ(alive, 1 + 2 * nkeys(t) - dropped);
}

/* What was read shows no address, and the number that the program wrote. */
static void check_read(struct subject *t, int n)
{
	uint64_t sum = 0;

	for (int i = 0; i < n * (t->kind->percpu ? SLOTS : 1); i++) {
		const struct value *v = &t->values[i];

		CHECK(!v->ref && !v->un && !v->loc && !v->user);
		sum += v->n == 7;
	}
	CHECK_EQ(sum, n);
}

static void check_reads(struct subject *t)
{
	uint32_t n = (uint32_t)nkeys(t);
	char cursor[8];

	fill_all(t);
	CHECK_EQ(pintle_map_lookup(t->map, t->keys, t->values), 0);
	check_read(t, 1);
	memset(t->values, 0x41, sizeof(t->values));
	/* Where keys are indexes there are more than ours. */
	CHECK_EQ(pintle_map_lookup_batch(t->map, NULL, cursor, t->keys, t->values, &n, 0),
		 0);
	CHECK_EQ(n, nkeys(t));
	check_read(t, nkeys(t));
	for (int i = 0; i < nkeys(t); i++)
		set_key(t, i);
	check_left(t, nkeys(t), FULL);
}

/* Only programs give fields a value; what they held goes. */
static void check_updates(struct subject *t)
{
	static const uint64_t ways[] = {PINTLE_ANY, PINTLE_EXIST};
	uint32_t n;

	for (unsigned i = 0; i < 2; i++) {
		fill_all(t);
		CHECK_EQ(pintle_map_update(t->map, t->keys, t->values, ways[i]), 0);
		check_left(t, 1, 0);
		fill_all(t);
		n = (uint32_t)nkeys(t);
		CHECK_EQ(pintle_map_update_batch(t->map, t->keys, t->values, &n, ways[i]),
			 0);
		CHECK_EQ(n, nkeys(t));
		check_left(t, nkeys(t), 0);
	}
}

static void check_failures(struct subject *t)
{
	uint32_t n = (uint32_t)nkeys(t);

	fill_all(t);
	CHECK_EQ(pintle_map_update(t->map, t->keys, t->values, PINTLE_NOEXIST), -EEXIST);
	CHECK_EQ(pintle_map_update(t->map, t->keys, t->values, 77), -EINVAL);
	CHECK_EQ(pintle_map_update(t->map, t->keys, t->values, PINTLE_LOCK), -EINVAL);
	CHECK_EQ(pintle_map_update(t->map, t->keys, NULL, 0), -EINVAL);
	CHECK_EQ(pintle_map_update(t->map, NULL, t->values, 0), -EINVAL);
	CHECK_EQ(pintle_map_update_batch(t->map, t->keys, t->values, &n, PINTLE_NOEXIST),
		 -EEXIST);
	CHECK_EQ(n, 0);
	CHECK_EQ(pintle_map_freeze(t->map), -EOPNOTSUPP);
	CHECK(!pintle_map_data(t->map, NULL));
	check_left(t, nkeys(t), FULL);
}

static void check_deletes(struct subject *t)
{
	uint32_t n = (uint32_t)nkeys(t);
	char cursor[8];

	fill_all(t);
	if (t->kind->indexed) {
		CHECK_EQ(pintle_map_delete(t->map, t->keys), -EINVAL);
		CHECK_EQ(pintle_map_lookup_and_delete(t->map, t->keys, t->values),
			 -EOPNOTSUPP);
		check_left(t, nkeys(t), FULL);
		return;
	}
	CHECK_EQ(pintle_map_delete(t->map, t->keys), 0);
	check_left(t, 1, -1);
	fill_all(t);
	CHECK_EQ(pintle_map_delete_batch(t->map, t->keys, &n, 0), 0);
	check_left(t, nkeys(t), -1);
	fill_all(t);
	CHECK_EQ(pintle_map_lookup_and_delete(t->map, t->keys, t->values), 0);
	check_read(t, 1);
	check_left(t, 1, -1);
	fill_all(t);
	n = (uint32_t)nkeys(t);
	CHECK_EQ(pintle_map_lookup_and_delete_batch(t->map, NULL, cursor, t->keys,
						    t->values, &n, 0),
		 0);
	check_read(t, nkeys(t));
	check_left(t, nkeys(t), -1);
	for (int i = 0; i < nkeys(t); i++)
		set_key(t, i);
}

static void check_kind(const struct kind *kind, enum pintle_jit jit)
{
	struct subject t;

	begin(&t, kind, jit);
	check_reads(&t);
	check_updates(&t);
	check_failures(&t);
	check_deletes(&t);
	end(&t);
}

TEST(writes_of_hosts_reach_no_field)
{
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		check_kind(&kinds[i], i % 2 ? PINTLE_JIT_AUTO : PINTLE_JIT_OFF);
}

/* BPF_F_RDONLY and BPF_F_WRONLY, which are about hosts. */
TEST(writes_of_hosts_without_the_right)
{
	static const struct kind rdonly = {"rdonly", .indexed = true},
				 wronly = {"wronly", .indexed = true};
	uint32_t n = 1;
	char cursor[8];
	struct subject t;

	begin(&t, &rdonly, PINTLE_JIT_AUTO);
	CHECK_EQ(run(&t, "fill", 0), 0);
	CHECK_EQ(pintle_map_update(t.map, t.keys, t.values, 0), -EPERM);
	CHECK_EQ(pintle_map_update_batch(t.map, t.keys, t.values, &n, 0), -EPERM);
	CHECK_EQ(pintle_map_delete(t.map, t.keys), -EPERM);
	CHECK_EQ(pintle_map_freeze(t.map), -EOPNOTSUPP);
	CHECK_EQ(pintle_map_lookup(t.map, t.keys, t.values), 0);
	check_read(&t, 1);
	CHECK_EQ(run(&t, "look", 0), FULL);
	t.map = setup_map(t.s, "array");
	end(&t);

	begin(&t, &wronly, PINTLE_JIT_AUTO);
	CHECK_EQ(run(&t, "fill", 0), 0);
	CHECK_EQ(pintle_map_lookup(t.map, t.keys, t.values), -EPERM);
	n = 1;
	CHECK_EQ(pintle_map_lookup_batch(t.map, NULL, cursor, t.keys, t.values, &n, 0),
		 -EPERM);
	memset(t.values, 0x41, sizeof(t.values));
	CHECK_EQ(pintle_map_update(t.map, t.keys, t.values, 0), 0);
	CHECK_EQ(run(&t, "look", 0), 0);
	pintle_drain(t.s.host);
	CHECK_EQ(dropped, 2);
	end(&t);
}

/* J9: what a program hands to the host, which puts it at once, is there for a grace
 * period. */
TEST(writes_of_programs_to_the_host_are_kept)
{
	static const struct kind hash = {"hash"};
	struct subject t;

	may_keep = true;
	for (int jit = PINTLE_JIT_AUTO; jit <= PINTLE_JIT_OFF; jit++) {
		kept = 0;
		begin(&t, &hash, (enum pintle_jit)jit);
		CHECK_EQ(pintle_map_update(t.map, t.keys, t.values, 0), 0);
		CHECK_EQ(run(&t, "fill", 0), 0);
		CHECK_EQ(run(&t, "hand", 0), 5);
		CHECK_EQ(kept, 1);
		CHECK_EQ(dropped, 0);
		CHECK_EQ(run(&t, "look", 0), FULL & ~1);
		pintle_drain(t.s.host);
		CHECK_EQ(dropped, 1);
		CHECK_EQ(alive, 2);
		CHECK_EQ(pintle_map_delete(t.map, t.keys), 0);
		end(&t);
	}
	may_keep = false;
}

TEST(writes_kept_by_classes_that_have_no_use_for_it)
{
	struct pintle_host *host = pintle_host_new(NULL);

	CHECK(host && !pintle_host_add_self(host));
	CHECK_EQ(pintle_storable(host, "gem", .get = get), -EINVAL);
	CHECK_EQ(pintle_storable(host, "gem", .dtor = drop, .get = get,
				 .rcu = PINTLE_RCU_NONE),
		 -EINVAL);
	CHECK(strstr(pintle_host_error(host), ".get is for PINTLE_DEFERRED_PUT"));
	CHECK_EQ(pintle_storable(host, "gem", .dtor = drop, .get = get), 0);
	pintle_host_free(host);
}
