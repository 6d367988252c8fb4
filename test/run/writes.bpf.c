/* SPDX-License-Identifier: MIT
 *
 * writes.bpf.c: the programs of writes.c: maps of each kind with fields in their values,
 * which programs fill and look at. Arguments: a number for the key, and an object that has
 * storage.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

char _license[] SEC("license") = "GPL";

struct gem {
	int refs, id;
} __attribute__((preserve_access_index));

extern struct gem *gem_new(int id) __ksym;
extern void gem_put(struct gem *g) __ksym;
extern int gem_take(int how, struct gem *g) __ksym;

struct band { /* allocated by programs */
	struct gem __kptr *stone;
	__u64 n;
};

struct value {
	struct gem __kptr *ref;
	__u64 n;
	struct gem __kptr_untrusted *un;
	struct band __kptr *loc;
	struct gem __kptr_user *user;
};

/* Both types in full in BTF. */
union {
	struct band band;
	struct gem gem;
} *all_types;

#define MAP(name_, type_, key_, flags_)                                                  \
	struct {                                                                         \
		__uint(type, type_);                                                     \
		__uint(max_entries, 4);                                                  \
		__uint(map_flags, flags_);                                               \
		__type(key, key_);                                                       \
		__type(value, struct value);                                             \
	} name_ SEC(".maps")

struct lpm_key {
	__u32 len, addr;
};

MAP(array, BPF_MAP_TYPE_ARRAY, __u32, 0);
MAP(hash, BPF_MAP_TYPE_HASH, __u32, 0);
MAP(lazy, BPF_MAP_TYPE_HASH, __u32, BPF_F_NO_PREALLOC);
MAP(lru, BPF_MAP_TYPE_LRU_HASH, __u32, 0);
MAP(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, 0);
MAP(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, __u32, 0);
MAP(percpu_lru, BPF_MAP_TYPE_LRU_PERCPU_HASH, __u32, 0);
MAP(lpm, BPF_MAP_TYPE_LPM_TRIE, struct lpm_key, BPF_F_NO_PREALLOC);
MAP(rdonly, BPF_MAP_TYPE_ARRAY, __u32, BPF_F_RDONLY);
MAP(wronly, BPF_MAP_TYPE_ARRAY, __u32, BPF_F_WRONLY);

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} storage SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct value);
} inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = {[0] = &inner},
};

static int fill_band(struct value *v)
{
	struct band *r = bpf_obj_new(struct band);
	struct gem *g, *old;

	if (!r)
		return -1;
	g = gem_new(2);
	if (g) {
		old = bpf_kptr_xchg(&r->stone, g);
		if (old)
			gem_put(old);
	}
	r = bpf_kptr_xchg(&v->loc, r);
	if (r)
		bpf_obj_drop(r);
	return 0;
}

/* Two gems more, the old ones put. */
static int fill(struct value *v)
{
	struct gem *g;

	if (!v)
		return -1;
	g = gem_new(1);
	if (!g)
		return -1;
	v->un = g;
	g = bpf_kptr_xchg(&v->ref, g);
	if (g)
		gem_put(g);
	v->n = 7;
	return fill_band(v);
}

/* Which fields are not empty. */
static int look(struct value *v)
{
	if (!v)
		return -1;
	return (v->ref != NULL) | (v->un != NULL) << 1 | (v->loc != NULL) << 2 |
	       (v->user != NULL) << 3;
}

#define PROGS(map, lookup)                                                               \
	SEC("hook/writes_hook") int BPF_PROG(fill_##map, int k, struct gem *object)      \
	{                                                                                \
		return fill(lookup);                                                     \
	}                                                                                \
	SEC("hook/writes_hook") int BPF_PROG(look_##map, int k, struct gem *object)      \
	{                                                                                \
		return look(lookup);                                                     \
	}
#define KEYED(map)                                                                       \
	PROGS(map, ({                                                                    \
		      __u32 key = k;                                                     \
		      bpf_map_lookup_elem(&map, &key);                                   \
	      }))

KEYED(array)
KEYED(hash)
KEYED(lazy)
KEYED(lru)
KEYED(percpu_array)
KEYED(percpu_hash)
KEYED(percpu_lru)
KEYED(rdonly)
KEYED(wronly)
PROGS(lpm, ({
	      struct lpm_key key = {32, k};
	      bpf_map_lookup_elem(&lpm, &key);
      }))
PROGS(storage, bpf_task_storage_get(&storage, (void *)object, 0, 0))
PROGS(inner, ({
	      __u32 zero = 0, key = k;
	      void *map = bpf_map_lookup_elem(&outer, &zero);
	      map ? bpf_map_lookup_elem(map, &key) : NULL;
      }))

/* What is handed over is read afterwards, by what was loaded before. */
SEC("hook/writes_hook") int BPF_PROG(hand_hash, int k, struct gem *object)
{
	__u32 key = k;
	struct value *v = bpf_map_lookup_elem(&hash, &key);
	struct gem *seen, *g;
	int how = 0;

	if (!v)
		return -1;
	seen = v->ref;
	g = bpf_kptr_xchg(&v->ref, NULL);
	if (g)
		how = gem_take(4, g);
	return seen ? how + seen->id : -2;
}
