/* SPDX-License-Identifier: MIT
 *
 * local.h: objects that programs allocate (rule book G), and what owns them.
 *
 *	heap.c    their memory: caches of each slot, quarantine for a grace period
 *	local.c   their types, birth and destruction; bpf_obj_*, bpf_refcount_acquire
 *	graph.c   lists and trees
 *	percpu.c  per-CPU objects and variables, and what opens them
 *
 * A type is a struct of one object file's BTF. The types of one object file are a set,
 * which lives as long as anything may still destroy an object of one of them: the loaded
 * object, maps whose fields hold such objects, objects in quarantine that own others.
 */
#ifndef PINTLE_RUN_LOCAL_H
#define PINTLE_RUN_LOCAL_H

#include "run/map/map.h"
#include "run/life/quarantine.h"

struct heap;
struct heap_class;
struct local_types;

/* What stands before an object. Programs never see it. */
struct obj {
	union {
		struct obj *next; /* of a list of dying objects */
		struct idle idle; /* of one of free or quarantined objects */
	};
	union {
		struct local_type *type;  /* while it lives and dies */
		struct heap_class *class_; /* in quarantine */
	};
	u64 body[];
};

static inline struct obj *obj_of(void *body)
{
	return container_of(body, struct obj, body);
}

/* Each of the first slots has a counter of its own; the last is everybody else's. */
enum { LIVE_STRIPES = 16 };
enum local_state { TYPE_NEW, TYPE_READING, TYPE_READY };

struct local_type {
	struct local_types *set;
	struct pintle_host *host;
	char *name;
	u32 id, size;		/* in program BTF; of the body */
	enum local_state state;
	struct heap_class *class_; /* NULL: too large */
	struct fields *fields;	/* NULL: none */
	s32 refcount_off;	/* -1: none */
	bool owns;		/* has fields whose contents must be destroyed */
	struct {
		atomic(s64) n;
	} __attribute__((aligned(64))) live[LIVE_STRIPES]; /* objects there are: their sum */
};

/* --- heap.c --- */

int heap_init(struct pintle_host *host);
void heap_free(struct pintle_host *host); /* no deferred call is left */
void heap_locks(struct pintle_host *host, void (*op)(u32 *lock)); /* around a fork */
/* The class for objects of @size bytes, header not counted; NULL: none is that large. */
struct heap_class *heap_class_of(struct pintle_host *host, u32 size);
/* Memory, not zeroed; NULL: none, or the host's limit is reached. Any thread; wait-free on
 * a slot that has some in its cache. */
struct obj *heap_take(struct heap_class *class_);
/* Back after a grace period of both domains. */
void heap_retire(struct heap_class *class_, struct obj *obj);
/* Back at once: the grace period is over, or nobody else ever saw it. */
void heap_give(struct heap_class *class_, struct obj *obj);
/* Memory that is not the heap's own but counts against the same limit. */
bool heap_charge(struct pintle_host *host, u64 bytes);
void heap_uncharge(struct pintle_host *host, u64 bytes);
u64 heap_bytes(const struct pintle_host *host); /* in use, quarantined or spare */

/* --- local.c --- */

/* The set of @image's BTF: made now, with one reference; NULL: no memory. */
struct local_types *local_types_open(struct pintle_host *host, const struct image *image);
/* The image goes: nothing new is looked up. Drops the caller's reference. */
void local_types_close(struct local_types *set);
void local_types_get(struct local_types *set);
/* Types that are looked up in @set from now on are those of @older where they are the same;
 * both images are there. NULL: no more. */
void local_types_follow(struct local_types *set, struct local_types *older);
/* The open set of @btf, or NULL. */
struct local_types *local_types_of(struct pintle_host *host, const struct btf *btf);
void local_types_put(struct local_types *set);

/* The run-time type of struct @type of @btf, made now if it was not. -ENOENT when the set
 * of @btf is not open, or what fields_create() says. */
int local_type_get(struct log *log, struct pintle_host *host, const struct btf *btf, u32 type,
		   struct local_type **out);
u64 local_type_live(const struct local_type *type);
void local_type_count(struct local_type *type, s64 n); /* objects made or gone */
/* Calls fn for every type, under a lock. */
void local_types_each(struct pintle_host *host,
		      void (*fn)(void *data, const struct local_type *type), void *data);

/* An object with empty fields, other bytes 0, refcount 1; or NULL. */
void *local_new(struct local_type *type);
/* Drops one reference; the last destroys what the object owns, without recursion. */
void local_drop(struct local_type *type, void *body);
/* One more reference, unless there is none left: @body or NULL. */
void *local_acquire(struct local_type *type, void *body);

/* Objects that die together: destroying one may add others. Empty is NULL. */
void dying_add(struct obj **dying, void *body); /* drops one reference */
void dying_destroy(struct obj *dying);

/* --- graph.c --- */

/* F6: empties a list head or tree root; what its references were the last of joins
 * @dying. @lock: what guards it, or NULL. */
void graph_destroy(const struct run_field *field, void *root, u32 *lock, struct obj **dying);

/* Calls fn for every node in order until it returns false; under the root's lock. */
void graph_each(const struct run_field *field, void *root,
		bool (*fn)(void *data, void *node), void *data);

/* Engine functions, as programs call them; type and offset are filled in by lower. */
u64 list_push_front(u64 head, u64 node, u64 type, u64 off);
u64 list_push_back(u64 head, u64 node, u64 type, u64 off);
u64 list_pop_front(u64 head);
u64 list_pop_back(u64 head);
u64 list_front(u64 head);
u64 list_back(u64 head);
u64 rbtree_add(u64 root, u64 node, u64 less, u64 type, u64 off);
u64 rbtree_remove(u64 root, u64 node);
u64 rbtree_first(u64 root);
u64 rbtree_root(u64 root);
u64 rbtree_left(u64 root, u64 node);
u64 rbtree_right(u64 root, u64 node);

/* --- percpu.c --- */

/* A per-CPU pointer is to a program the address of a struct pintle_percpu. */
void *percpu_at(const struct pintle_percpu *p, u32 slot); /* NULL: there is none for that slot */
void *percpu_new(struct local_type *type);
void percpu_drop(struct local_type *type, void *handle);

#endif
