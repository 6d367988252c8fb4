/* SPDX-License-Identifier: MIT
 *
 * refs.c: who holds what: every field of every map that owns a reference, and of every
 * object that such a field owns, and so on down. For people and for tests: it walks
 * everything there is.
 *
 * A map is pinned while it is walked, inside a read section: its elements stay readable,
 * fields may change meanwhile. What is listed was there at the moment it was looked at.
 * Lists and trees are walked under their own lock.
 *
 * Since when: a table of stamps (host option ref_stamps), each a fingerprint of a field and
 * what it holds, and a time. Every exchange by bpf_kptr_xchg() stamps its field; there is
 * nothing to undo when a field is emptied, for the fingerprint then fits no more. A later
 * stamp in the same place of the table replaces it: then the time is not known.
 */
#include "run/field/local.h"
#include "run/lock.h"

#include <time.h>

enum { DEEPEST = 16, MAX_PATH = 256 };

/* ------------------------------------------------------------------ stamps */

struct stamp {
	atomic(u64) print, time;
};

struct stamps {
	u64 mask;
	struct stamp at[];
};

int stamps_init(struct pintle_host *host)
{
	u64 n = 1, want = host->opts.ref_stamps;

	if (!want)
		return 0;
	while (n < want)
		n *= 2;
	host->stamps = calloc(1, sizeof(struct stamps) + n * sizeof(struct stamp));
	if (!host->stamps)
		return -ENOMEM;
	host->stamps->mask = n - 1;
	return 0;
}

static u64 print_of(const void *slot, const void *obj)
{
	u64 x = ((uintptr_t)slot >> 3) * 0x9e3779b97f4a7c15ull ^ (uintptr_t)obj;

	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;
	return x ^ x >> 32;
}

static u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME_COARSE, &t);
	return (u64)t.tv_sec * 1000 + (u64)t.tv_nsec / 1000000;
}

void stamp_field(struct stamps *stamps, const void *slot, const void *obj)
{
	u64 print = print_of(slot, obj);
	struct stamp *s = &stamps->at[print & stamps->mask];

	atomic_store_explicit(&s->print, 0, memory_order_relaxed);
	atomic_store_explicit(&s->time, now_ms(), memory_order_relaxed);
	/* release: pairs with the acquire in stamp_of() */
	atomic_store_explicit(&s->print, print, memory_order_release);
}

static u64 stamp_of(const struct stamps *stamps, const void *slot, const void *obj)
{
	u64 print = print_of(slot, obj);
	const struct stamp *s;

	if (!stamps)
		return 0;
	s = &stamps->at[print & stamps->mask];
	/* acquire: pairs with the release in stamp_field() */
	if (atomic_load_explicit(&s->print, memory_order_acquire) != print)
		return 0;
	return atomic_load_explicit(&s->time, memory_order_relaxed);
}

/* ------------------------------------------------------------------ walking */

struct walk {
	struct pintle_host *host;
	struct map *map;
	const char *type;   /* NULL: all */
	const void *object; /* NULL: all */
	int (*fn)(void *data, const struct pintle_ref *ref);
	void *data;
	struct pintle_ref ref; /* key and slot of where it stands */
	char path[MAX_PATH];
	u32 len;
	u64 found;
	int stop; /* what fn returned */
};

static void walk_fields(struct walk *w, const struct fields *fields, void *value, u32 depth);

/* Paths that are too long are cut. */
static void path_add(struct walk *w, const char *name)
{
	u32 n = min_u32((u32)strlen(name), (u32)sizeof(w->path) - 1 - w->len);

	memcpy(w->path + w->len, name, n);
	w->len += n;
	w->path[w->len] = 0;
}

static void found(struct walk *w, const void *slot, const void *obj, const char *type)
{
	if ((w->object && w->object != obj) || (w->type && strcmp(w->type, type)))
		return;
	w->found++;
	w->ref.map = w->map->name;
	w->ref.field = w->path;
	w->ref.object = obj;
	w->ref.type = type;
	w->ref.since_ms = stamp_of(w->host->stamps, slot, obj);
	if (w->fn)
		w->stop = w->fn(w->data, &w->ref);
}

static void into_object(struct walk *w, const struct local_type *type, void *body, u32 depth)
{
	if (depth >= DEEPEST || !type->fields || w->stop)
		return;
	path_add(w, "->");
	walk_fields(w, type->fields, body, depth + 1);
}

static void walk_ref(struct walk *w, const struct run_field *f, void *slot, u32 depth)
{
	/* acquire: F-B in field.c */
	void *obj = __atomic_load_n((void **)slot, __ATOMIC_ACQUIRE);

	if (!obj)
		return;
	found(w, slot, obj, f->local ? f->local->name : f->storable->name);
	if (f->local && f->kind == FIELD_REF)
		into_object(w, f->local, obj, depth);
}

struct node_walk {
	struct walk *w;
	const struct run_field *f;
	u32 depth, index, len;
};

static bool walk_node(void *data, void *node)
{
	struct node_walk *n = data;
	char number[16];
	char *body = (char *)node - n->f->node_off;

	n->w->len = n->len;
	snprintf(number, sizeof(number), "[%u]", n->index++);
	path_add(n->w, number);
	found(n->w, node, body, n->f->local->name);
	into_object(n->w, n->f->local, body, n->depth);
	return !n->w->stop;
}

static void walk_graph(struct walk *w, const struct run_field *f, void *root, u32 *lock,
		       u32 depth)
{
	struct node_walk n = {w, f, depth, 0, w->len};

	if (lock)
		lock_take(lock);
	graph_each(f, root, walk_node, &n);
	if (lock)
		lock_drop(lock);
}

static void walk_field(struct walk *w, const struct run_field *f, void *slot, u32 *lock,
		       u32 depth)
{
	switch (f->kind) {
	case FIELD_REF:
		walk_ref(w, f, slot, depth);
		break;
	case FIELD_PERCPU:
		if (f->local)
			walk_ref(w, f, slot, depth);
		break;
	case FIELD_LIST_HEAD:
	case FIELD_RB_ROOT:
		walk_graph(w, f, slot, lock, depth);
		break;
	default:
		break;
	}
}

static void walk_fields(struct walk *w, const struct fields *fields, void *value, u32 depth)
{
	u32 *lock = fields->lock_off >= 0 ? (u32 *)((char *)value + fields->lock_off) : NULL;
	u32 len = w->len;

	for (u32 i = 0; i < fields->n && !w->stop; i++) {
		const struct run_field *f = &fields->at[i];

		w->len = len;
		path_add(w, f->path ? f->path : "?");
		walk_field(w, f, (char *)value + f->off, lock, depth);
	}
	w->len = len;
	w->path[len] = 0;
}

/* ------------------------------------------------------------------ maps */

static void walk_value(struct walk *w, const void *key, void *value, u32 slot)
{
	w->ref.key = key;
	w->ref.key_size = key ? w->map->key_size : 0;
	w->ref.slot = slot;
	w->len = 0;
	walk_fields(w, w->map->fields, value, 0);
}

static u64 on_elem(void *data, const void *key, void *value)
{
	struct walk *w = data;
	struct map *map = w->map;

	if (!map->ops->lookup_percpu) {
		walk_value(w, key, value, UINT32_MAX);
		return w->stop != 0;
	}
	for (u32 i = 0; i < slot_count(w->host) && !w->stop; i++) {
		void *copy = map->ops->lookup_percpu(map, key, i);

		if (copy)
			walk_value(w, key, copy, i);
	}
	return w->stop != 0;
}

static void on_value(void *data, void *value)
{
	struct walk *w = data;

	if (!w->stop)
		walk_value(w, NULL, value, UINT32_MAX);
}

/* Per-CPU kinds enumerate the values of the slot that asks. */
static int walk_map(struct walk *w)
{
	const struct map_ops *ops = w->map->ops;
	struct slot_ctx *slot = NULL, *before;

	if (ops->lookup_percpu && !(slot = slot_get(w->host)))
		return -EAGAIN;
	run_read_lock(w->host);
	before = slot ? slot_swap(slot) : NULL;
	if (ops->for_each)
		ops->for_each(w->map, on_elem, w);
	else if (ops->each_value)
		ops->each_value(w->map, on_value, w);
	if (slot)
		slot_swap(before);
	run_read_unlock(w->host);
	return 0;
}

static bool owns_something(const struct map *map)
{
	for (u32 i = 0; map->fields && i < map->fields->n; i++)
		if (field_owns(&map->fields->at[i]))
			return true;
	return false;
}

/* Unpins deferred: the caller may be anywhere. */
static void unpin(void *map)
{
	map_unpin(map);
}

static int walk_maps(struct walk *w)
{
	VEC(struct map *) maps = {0};
	int err = 0;

	lock_take(&w->host->maps_lock);
	for (struct map *map = w->host->maps; map && !err; map = map->next) {
		if (!owns_something(map))
			continue;
		/* Room first: under the lock nothing can be given back. */
		if (!vec_reserve(&maps, 1))
			err = -ENOMEM;
		else if (map_try_pin(map))
			(void)vec_push(&maps, map);
	}
	lock_drop(&w->host->maps_lock);
	for (u32 i = 0; i < maps.n; i++) {
		w->map = maps.v[i];
		if (!err && !w->stop)
			err = walk_map(w);
		defer_call(w->host, unpin, maps.v[i]);
	}
	vec_free(&maps);
	return err;
}

int64_t pintle_refs_each(struct pintle_host *host, const char *type, const void *object,
			 int (*fn)(void *data, const struct pintle_ref *ref), void *data)
{
	struct walk w = {.host = host, .type = type, .object = object, .fn = fn, .data = data,
			 .ref = {.size = sizeof(w.ref)}};
	int err;

	TRY(host_check(host));
	err = walk_maps(&w);
	defer_safe_point(host);
	if (err)
		return host_fail(host, err, "who holds what: %s",
				 err == -EAGAIN ? "all execution slots are taken"
						: "out of memory");
	return w.stop < 0 ? w.stop : (int64_t)w.found;
}

/* ------------------------------------------------------------------ totals */

struct totals {
	int (*fn)(void *data, const struct pintle_type_total *total);
	void *data;
	int stop;
};

static void tell(struct totals *t, const struct pintle_type_total *total)
{
	if (!t->stop)
		t->stop = t->fn(t->data, total);
}

static void tell_local(void *data, const struct local_type *type)
{
	u64 n = local_type_live(type);

	if (n)
		tell(data, &(const struct pintle_type_total){
				   .size = sizeof(struct pintle_type_total),
				   .type = type->name, .objects = n, .local = true});
}

int pintle_refs_totals(struct pintle_host *host,
		       int (*fn)(void *data, const struct pintle_type_total *total), void *data)
{
	struct totals t = {fn, data, 0};

	TRY(host_check(host));
	for (u32 i = 0; i < host->storables.n; i++) {
		struct storable *s = host->storables.v[i];
		int64_t n = pintle_refs_each(host, s->name, NULL, NULL, NULL);

		if (n < 0)
			return (int)n;
		tell(&t, &(const struct pintle_type_total){
				 .size = sizeof(struct pintle_type_total), .type = s->name,
				 .objects = (u64)n});
	}
	local_types_each(host, tell_local, &t);
	return t.stop;
}
