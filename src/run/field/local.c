/* SPDX-License-Identifier: MIT
 *
 * local.c: types and lives of objects that programs allocate (rule book G).
 *
 * An object begins with empty fields, other bytes 0 and a refcount of 1 (G2, G3). Whoever
 * drops the last reference destroys it: at once, because nothing of the host's runs then -
 * what its fields owned of host objects is queued (defer.c) - and without recursion:
 * objects that it owned join the list of the dying (A36). Its memory waits for a grace
 * period, so readers of domain N may still look at its plain bytes.
 *
 * An object file that takes the place of another shares the types that did not change
 * (keep.c), so that it may go on with what is in the maps it keeps.
 *
 * An object whose type owns things is destroyed a second time when its grace period ends:
 * what a program that still saw it put there meanwhile (F10) must not be lost.
 *
 * Ordering
 *  G-A: what was done to an object before a drop of a reference is seen by who destroys it:
 *       drops release, the last one acquires. Raising a count orders nothing (F15).
 *  G-B: the list of sets and the types of a set are under host->locals_lock; types are
 *       never removed from a set, so pointers to them stay.
 *
 * Progress: birth and death are wait-free but for the heap; destroying takes time linear in
 * what is owned.
 */
#include "run/keep.h"
#include "run/field/local.h"
#include "run/lock.h"

#include "base/arena.h"

/* A struct that is the same as one of an older set: there is one run-time type of both. */
struct alias {
	u32 id;
	struct local_type *type; /* its set is held */
};

struct local_types {
	struct pintle_host *host;
	const struct image *image; /* NULL: closed */
	struct local_types *next, **pprev; /* host->locals */
	VEC(struct local_type *) types;
	VEC(struct alias) aliases;
	struct local_types *older; /* while loading in its object's place; or NULL */
	atomic(u32) refs;
};

/* ------------------------------------------------------------------ sets of types */

struct local_types *local_types_open(struct pintle_host *host, const struct image *image)
{
	struct local_types *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->host = host;
	set->image = image;
	set->refs = 1;
	lock_take(&host->locals_lock);
	set->next = host->locals;
	set->pprev = &host->locals;
	if (set->next)
		set->next->pprev = &set->next;
	host->locals = set;
	lock_drop(&host->locals_lock);
	return set;
}

void local_types_close(struct local_types *set)
{
	if (!set)
		return;
	lock_take(&set->host->locals_lock);
	set->image = NULL;
	lock_drop(&set->host->locals_lock);
	local_types_put(set);
}

void local_types_get(struct local_types *set)
{
	atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
}

static void type_free(struct local_type *type)
{
	fields_free(type->fields);
	free(type->name);
	free(type);
}

void local_types_put(struct local_types *set)
{
	struct pintle_host *host;

	/* G-A: release and acquire pair with each other */
	if (!set || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
		return;
	host = set->host;
	lock_take(&host->locals_lock);
	*set->pprev = set->next;
	if (set->next)
		set->next->pprev = set->pprev;
	lock_drop(&host->locals_lock);
	for (u32 i = 0; i < set->types.n; i++)
		type_free(set->types.v[i]);
	for (u32 i = 0; i < set->aliases.n; i++)
		local_types_put(set->aliases.v[i].type->set);
	vec_free(&set->types);
	vec_free(&set->aliases);
	free(set);
}

/* ------------------------------------------------------------------ one type */

static void fields_learn(struct local_type *type)
{
	type->refcount_off = -1;
	for (u32 i = 0; type->fields && i < type->fields->n; i++) {
		const struct run_field *f = &type->fields->at[i];

		type->owns |= field_owns(f);
		if (f->kind == FIELD_REFCOUNT)
			type->refcount_off = (s32)f->off;
	}
}

/* E6: a pinned pointer is plain bytes in an object. */
static void drop_uptrs(struct record *rec)
{
	u32 n = 0;

	for (u32 i = 0; rec && i < rec->n; i++)
		if (rec->fields[i].kind != FIELD_UPTR)
			rec->fields[n++] = rec->fields[i];
	if (rec)
		rec->n = n;
}

static int fields_read(struct log *log, struct local_type *type)
{
	struct arena *arena = arena_new();
	const struct image *image = type->set->image;
	struct record_opts opts;
	struct record *rec = NULL;
	char what[128];
	int err;

	if (!arena)
		return log_fail(log, -ENOMEM, "struct %s: out of memory", type->name);
	snprintf(what, sizeof(what), "struct %s", type->name);
	image_record_opts(image, &opts);
	err = record_parse(arena, log, what, image->btf, type->id, &opts, &rec);
	drop_uptrs(rec);
	if (!err)
		err = fields_create(log, type->host, what, rec, &type->fields);
	arena_free(arena);
	fields_learn(type);
	if (type->fields)
		fields_forget_set(type->fields); /* a set does not hold itself */
	return err;
}

static struct local_type *type_alloc(struct local_types *set, u32 id)
{
	struct local_type *type = aligned_alloc(_Alignof(struct local_type), sizeof(*type));

	if (!type)
		return NULL;
	memset(type, 0, sizeof(*type));
	type->set = set;
	type->host = set->host;
	type->id = id;
	type->name = strdup(btf_type_name(set->image->btf, id));
	if (type->name && btf_size(set->image->btf, id, &type->size))
		return type;
	free(type->name);
	free(type);
	return NULL;
}

static struct local_type *type_in(const struct local_types *set, u32 id)
{
	for (u32 i = 0; i < set->aliases.n; i++)
		if (set->aliases.v[i].id == id)
			return set->aliases.v[i].type;
	for (u32 i = 0; i < set->types.n; i++)
		if (set->types.v[i]->id == id)
			return set->types.v[i];
	return NULL;
}

/* A type is in its set before its fields are read: they may lead back to it. One whose
 * fields could not be read stays, to be tried again: others may point to it. */
static int type_add(struct log *log, struct local_types *set, u32 id, struct local_type **out)
{
	struct local_type *type = type_alloc(set, id);
	bool added;

	if (!type)
		return log_fail(log, -ENOMEM, "out of memory");
	lock_take(&set->host->locals_lock); /* G-B */
	added = vec_push(&set->types, type);
	lock_drop(&set->host->locals_lock);
	if (!added) {
		type_free(type);
		return log_fail(log, -ENOMEM, "out of memory");
	}
	type->class_ = heap_class_of(set->host, type->size);
	*out = type;
	return 0;
}

/* ------------------------------------------------------------------ the same as before */

void local_types_follow(struct local_types *set, struct local_types *older)
{
	if (set)
		set->older = older;
}

/* @id is the same as @older_id of the older set: 1 and an alias, or 0. */
static int adopt(struct local_types *set, u32 id, u32 older_id, struct local_type *type,
		 struct local_type **out)
{
	struct keep keep = {.old = set->older->image, .new = set->image};
	int answer;

	if (strcmp(type->name, btf_type_name(set->image->btf, id)) || type->state != TYPE_READY)
		return 0;
	answer = keep_same_type(&keep, older_id, id);
	if (answer)
		return answer < 0 ? answer : 0;
	if (!vec_push(&set->aliases, ((struct alias){id, type})))
		return -ENOMEM;
	local_types_get(type->set);
	*out = type;
	return 1;
}

/* What objects in kept maps are of is what the new programs call by that name. */
static int type_adopt(struct log *log, struct local_types *set, u32 id,
		      struct local_type **out)
{
	const struct local_types *older = set->older;
	int done = 0;

	for (u32 i = 0; older && !done && i < older->types.n; i++)
		done = adopt(set, id, older->types.v[i]->id, older->types.v[i], out);
	for (u32 i = 0; older && !done && i < older->aliases.n; i++)
		done = adopt(set, id, older->aliases.v[i].id, older->aliases.v[i].type, out);
	return done < 0 ? log_fail(log, done, "out of memory") : 0;
}

struct local_types *local_types_of(struct pintle_host *host, const struct btf *btf)
{
	struct local_types *set;

	lock_take(&host->locals_lock);
	set = host->locals;
	while (set && !(set->image && set->image->btf == btf))
		set = set->next;
	lock_drop(&host->locals_lock);
	return set;
}

int local_type_get(struct log *log, struct pintle_host *host, const struct btf *btf, u32 id,
		   struct local_type **out)
{
	struct local_types *set = local_types_of(host, btf);
	struct local_type *type;
	int err = 0;

	if (!set)
		return log_fail(log, -ENOENT, "the types of the program are not there");
	type = type_in(set, id);
	if (!type)
		TRY(type_adopt(log, set, id, &type));
	if (!type)
		TRY(type_add(log, set, id, &type));
	if (type->state == TYPE_NEW) {
		type->state = TYPE_READING;
		err = fields_read(log, type);
		type->state = err ? TYPE_NEW : TYPE_READY;
	}
	*out = type;
	return err;
}

/* ------------------------------------------------------------------ counting */

static void count(struct local_type *type, s64 n)
{
	const struct slot_ctx *slot = thread_me.running;
	atomic(s64) *own, *shared = &type->live[LIVE_STRIPES - 1].n;

	if (unlikely(!slot || slot->host != type->host || slot->index >= LIVE_STRIPES - 1)) {
		atomic_fetch_add_explicit(shared, n, memory_order_relaxed);
		return;
	}
	own = &type->live[slot->index].n; /* nobody else writes it */
	atomic_store_explicit(own, atomic_load_explicit(own, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

u64 local_type_live(const struct local_type *type)
{
	s64 sum = 0;

	for (u32 i = 0; i < LIVE_STRIPES; i++)
		sum += atomic_load_explicit(&type->live[i].n, memory_order_relaxed);
	return sum > 0 ? (u64)sum : 0;
}

void local_types_each(struct pintle_host *host,
		      void (*fn)(void *data, const struct local_type *type), void *data)
{
	lock_take(&host->locals_lock);
	for (struct local_types *set = host->locals; set; set = set->next)
		for (u32 i = 0; i < set->types.n; i++)
			fn(data, set->types.v[i]);
	lock_drop(&host->locals_lock);
}

void local_type_count(struct local_type *type, s64 n)
{
	count(type, n);
}

/* ------------------------------------------------------------------ life */

static atomic(u32) *refcount_of(const struct local_type *type, void *body)
{
	return (atomic(u32) *)((char *)body + type->refcount_off);
}

void *local_new(struct local_type *type)
{
	struct obj *obj = type->class_ ? heap_take(type->class_) : NULL;

	if (!obj)
		return NULL;
	obj->type = type;
	memset(obj->body, 0, type->size);
	if (type->refcount_off >= 0)
		atomic_store_explicit(refcount_of(type, obj->body), 1, memory_order_relaxed);
	count(type, 1);
	return obj->body;
}

enum { SATURATED = UINT32_MAX / 2 }; /* F15: such a count stays, and so does the object */

void *local_acquire(struct local_type *type, void *body)
{
	atomic(u32) *refs = refcount_of(type, body);
	u32 n = atomic_load_explicit(refs, memory_order_relaxed);

	do {
		if (!n)
			return NULL;
		if (unlikely(n >= SATURATED))
			return body;
	} while (!atomic_compare_exchange_weak_explicit(refs, &n, n + 1, memory_order_relaxed,
							memory_order_relaxed));
	return body;
}

/* Whether that was the last reference. */
static bool drop_ref(const struct local_type *type, void *body)
{
	atomic(u32) *refs;

	if (type->refcount_off < 0)
		return true;
	refs = refcount_of(type, body);
	if (unlikely(atomic_load_explicit(refs, memory_order_relaxed) >= SATURATED))
		return false;
	/* G-A: release and acquire pair with each other */
	return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

void dying_add(struct obj **dying, void *body)
{
	struct obj *obj = obj_of(body);

	if (!drop_ref(obj->type, body))
		return;
	obj->next = *dying;
	*dying = obj;
}

/* The grace period of an object that may own things is over: once more, then its memory. */
static void owner_ripe(void *data)
{
	struct obj *obj = data;
	struct local_type *type = obj->type;

	fields_destroy(type->host, type->fields, obj->body);
	heap_give(type->class_, obj);
	local_types_put(type->set);
}

void dying_destroy(struct obj *dying)
{
	while (dying) {
		struct obj *obj = dying;
		struct local_type *type = obj->type;

		dying = obj->next;
		count(type, -1);
		if (!type->owns) {
			heap_retire(type->class_, obj);
			continue;
		}
		fields_destroy_into(type->host, type->fields, obj->body, &dying);
		local_types_get(type->set);
		defer_call(type->host, owner_ripe, obj);
	}
}

void local_drop(struct local_type *type, void *body)
{
	struct obj *dying = NULL;

	BUG_ON(obj_of(body)->type != type);
	dying_add(&dying, body);
	dying_destroy(dying);
}
