/* SPDX-License-Identifier: MIT
 *
 * map.h: what a map kind must provide, and the life of a map.
 *
 * A map is counted: one reference by each loaded object that uses it, one by each handle.
 * When the last goes, it is freed after a grace period; each element's fields are then
 * destroyed. Values never move while a read section that found them is open (F11).
 *
 * Below the references there are pins: one for all references together, one for each
 * deferred call of the map's own that is still to come. The last pin frees.
 */
#ifndef PINTLE_RUN_MAP_H
#define PINTLE_RUN_MAP_H

#include "run/run.h"

struct local_type;
struct local_types;
struct map_ops;
struct obj;

enum map_update { /* flags of an update, as in bpf(2) */
	MAP_ANY = 0,
	MAP_NOEXIST = 1,
	MAP_EXIST = 2,
	MAP_LOCK = 4, /* write under the value's spin lock; fields stay (M06, M07) */
};

struct map {
	const struct map_ops *ops;
	u32 id;			     /* of the host's maps, not used twice */
	struct pintle_host *host;
	char *name;		     /* own copy */
	u32 type, key_size, value_size, max_entries, flags;
	u32 value_stride;	     /* value_size rounded up to 8 */
	struct fields *fields;	     /* special fields of a value; NULL: none */
	s32 lock_off;		     /* of the value's bpf_spin_lock; -1: none */
	atomic(u32) refs, pins;
	bool frozen;		     /* host writes refused */
	struct map *template;	     /* of its inner maps (map/outer.h) */
	bool shared;		     /* a host has the address of its bytes */
	struct map *next, **pprev;   /* host->maps */
};

/* What a kind does not have is NULL: -EOPNOTSUPP to hosts; the verifier keeps programs from
 * it. */
struct map_ops {
	u32 type;
	u32 flags; /* attribute flags it knows (enum map_flag and MAPF_* of map.c) */
	bool keyless;	/* no key: operations get NULL; update pushes, read peeks, take pops */
	bool valueless; /* no value either: max_entries is a size in bytes */
	bool extra;	/* map_extra means something */
	bool unbounded; /* keys are addresses of objects, as many as come (map/storage.h) */
	/* Allocates a map that begins with a copy of *@proto; checks the attributes that
	 * are its own business: -EINVAL or -E2BIG and words when they make no sense. */
	int (*create)(struct log *log, const struct map *proto,
		      const struct image_map *def, struct map **out);
	/* No reader and no deferred call is left: destroys the fields of every element,
	 * frees storage and the map itself (not name and fields). */
	void (*free)(struct map *map);
	/* For programs: the live value or NULL (per-CPU kinds: this slot's). In a read
	 * section. */
	void *(*lookup)(struct map *map, const void *key);
	/* Per-CPU kinds only: the value of slot @cpu, or NULL. */
	void *(*lookup_percpu)(struct map *map, const void *key, u32 cpu);
	/* For programs; @value has value_size bytes, @flags are enum map_update. Per-CPU
	 * kinds write the current slot's copy. In a read section. */
	int (*update)(struct map *map, const void *key, const void *value, u64 flags);
	int (*remove)(struct map *map, const void *key);
	/* Read and remove in one. */
	int (*take)(struct map *map, const void *key, void *value);
	/* Kinds that hold maps or programs, in place of write: sets a reference to @ref, a
	 * struct map or pintle_prog of the same host. -EINVAL when it does not fit. */
	int (*put)(struct map *map, const void *key, void *ref, u64 flags);
	int (*next_key)(struct map *map, const void *key, void *next);
	u32 (*count)(struct map *map);
	/* For hosts: copies out, with special fields zeroed; per-CPU kinds copy every
	 * slot. In a read section, as is write. */
	int (*read)(struct map *map, const void *key, void *value);
	int (*write)(struct map *map, const void *key, const void *value, u64 flags);
	/* Calls fn(data, key, value) until it returns non-zero; how many were visited.
	 * Per-CPU kinds give this slot's values. In a read section. */
	s64 (*for_each)(struct map *map,
			u64 (*fn)(void *data, const void *key, void *value), void *data);
	/* Every live value, those of all slots too: for those who count what is
	 * stored. */
	void (*each_value)(struct map *map, void (*fn)(void *data, void *value),
			   void *data);
	/* The key of a live value, perhaps in *@index; kinds that may hold timers. */
	const void *(*key_of)(struct map *map, const void *value, u32 *index);
	/* The value of index 0 for global data; NULL for other kinds. */
	void *(*direct)(struct map *map);
};

/* How the values of an array or per-CPU array lie; false: another kind. */
bool map_array_layout(struct map *map, struct link_array *out);
bool map_percpu_array_layout(struct map *map, struct link_array *out);

extern const struct map_ops map_array_ops, map_hash_ops, map_percpu_array_ops,
	map_percpu_hash_ops, map_lru_hash_ops, map_lru_percpu_hash_ops, map_lpm_trie_ops,
	map_queue_ops, map_stack_ops, map_bloom_ops, map_ringbuf_ops,
	map_user_ringbuf_ops, map_array_of_maps_ops, map_hash_of_maps_ops,
	map_prog_array_ops, map_struct_ops_ops, map_task_storage_ops, map_sk_storage_ops,
	map_inode_storage_ops, map_cgrp_storage_ops, map_arena_ops;
const struct map_ops *map_ops_of(u32 type); /* NULL: not supported */

/* @inner: the definition of the inner maps of a map of maps; NULL for others. */
int map_create(struct log *log, struct pintle_host *host, const struct image_map *def,
	       const struct image_map *inner, struct map **out);
/* Checks @def and fills in *@map but for storage: the kind's create(), or a template. */
int map_proto(struct log *log, struct pintle_host *host, const struct image_map *def,
	      struct map *map);
void map_get(struct map *map);
void map_put(struct map *map); /* frees after a grace period */
void map_pin(struct map *map);
bool map_try_pin(struct map *map); /* of host->maps, under its lock: not when it dies */
void map_unpin(struct map *map); /* only from deferred calls: may free */

/* 0, or -EINVAL when @flags are not for this map. */
int map_check_update(const struct map *map, u64 flags);
/* A value's bytes in and out, under its spin lock when @locked (MAP_LOCK). */
void map_value_write(const struct map *map, void *value, const void *from, bool locked);
void map_value_read(const struct map *map, void *to, void *value);

/* Zeroed memory for many elements, in large pages where it is large: they are looked up at
 * random. NULL: no memory. For free(). */
void *map_calloc(u64 n, u64 size);

/* References to objects of @storable that fields of the host's maps hold now. Walks every
 * map: for statistics. */
u64 map_count_stored(struct pintle_host *host, const struct storable *storable);

/* --- field.c: the one lifecycle of special fields (rule book F) --- */

/* A run-time record: what to do for each field. */
struct run_field {
	enum field_kind kind;
	u32 off, size;
	struct storable *storable; /* REF of a host type */
	struct local_type *local;  /* REF, PERCPU, roots: of a type of the program's own */
	u32 node_off;		   /* roots: of the node in the element */
	u32 pointee_size;	   /* UPTR: bytes that are pinned */
	const struct btf *btf;	   /* a pointee of the host's, where it is no storable */
	u32 type;
	bool alien;		   /* a pointee of the program's that nothing here holds */
	char *path;		   /* "session.owner", for people; NULL: no memory for it */
};
struct fields {
	u32 n;
	s32 lock_off, seq_off;	    /* -1: none */
	bool async;		    /* timers or work queues among them */
	struct local_types *locals; /* held; NULL: no type of a program's own */
	struct run_field at[];
};

/* Whether what a field holds is destroyed with it. */
bool field_owns(const struct run_field *field);
/* NULL record: *out = NULL. -ENOENT with words when a type lost its registration,
 * -ENOTSUP for kinds of fields this version does not run. @what: "map 'sessions'". */
int fields_create(struct log *log, struct pintle_host *host, const char *what,
		  const struct record *rec, struct fields **out);
void fields_free(struct fields *fields);
/* For the fields of a type of the set itself: they do not hold the set. */
void fields_forget_set(struct fields *fields);
s32 fields_lock_off(const struct fields *fields); /* -1: no lock */

/* F6: empties every slot of @value by atomic exchange and queues what was in it. Any
 * context; never calls a destructor itself (J22). */
void fields_destroy(struct pintle_host *host, const struct fields *fields, void *value);
/* The same for an element that was unlinked: it can start no timer or work any more, until
 * fields_init(). */
void fields_retire(struct pintle_host *host, const struct fields *fields, void *value);
/* The same; objects of programs that lost their last reference join @dying (local.h). */
void fields_destroy_into(struct pintle_host *host, const struct fields *fields, void *value,
			 struct obj **dying);
/* A value that nobody else can see gets empty fields: no destructor is queued. */
void fields_init(const struct fields *fields, void *value);
/* F7: copies the bytes of a value but not its special fields. */
void fields_copy_in(const struct fields *fields, void *value, const void *from, u32 size);
/* F7: copies out, special fields as 0. */
void fields_copy_out(const struct fields *fields, void *to, const void *value, u32 size);
/* H6: around whatever changes what slots hold: the version is odd meanwhile. They exclude
 * each other, for a few instructions. */
void seq_enter(u64 *version);
void seq_leave(u64 *version);
/* F12: exchanges one slot. */
void *field_xchg(void *slot, void *new_ptr);

#endif
