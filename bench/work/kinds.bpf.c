/* SPDX-License-Identifier: MIT
 *
 * kinds.bpf.c: operations on maps of several kinds and sizes: each run makes STEPS of them
 * with keys that look random. bench/maps.c fills the maps.
 */
#include "work.h"
#include "kinds.h"

#define MAP(name, type_, n)                                                              \
	struct {                                                                         \
		__uint(type, type_);                                                     \
		__uint(max_entries, n);                                                  \
		__type(key, u32);                                                        \
		__type(value, u64);                                                      \
	} name SEC(".maps")

MAP(hash_1k, BPF_MAP_TYPE_HASH, 1 << 10);
MAP(hash_64k, BPF_MAP_TYPE_HASH, 1 << 16);
MAP(hash_1m, BPF_MAP_TYPE_HASH, 1 << 20);
MAP(percpu_64k, BPF_MAP_TYPE_PERCPU_HASH, 1 << 16);
MAP(lru_64k, BPF_MAP_TYPE_LRU_HASH, 1 << 16);
MAP(array_1k, BPF_MAP_TYPE_ARRAY, CELLS);
MAP(percpu_array_1k, BPF_MAP_TYPE_PERCPU_ARRAY, CELLS);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ring SEC(".maps");

/* Each slot's own sequence of keys, on a line of its own. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} seeds SEC(".maps");

#define BEGIN                                                                            \
	u32 zero = 0, done = 0, key;                                                     \
	u64 *seed = bpf_map_lookup_elem(&seeds, &zero), at;                              \
                                                                                         \
	if (!seed)                                                                       \
		return 0;                                                                \
	at = *seed;                                                                      \
	for (u32 i = 0; i < STEPS; i++) {                                                \
		at = at * 6364136223846793005ull + 1442695040888963407ull
#define END                                                                              \
	}                                                                                \
	*seed = at;                                                                      \
	return done

#define LOOKUP(map, n)                                                                   \
	SEC("xdp") int lookup_##map(struct xdp_md *ctx)                                  \
	{                                                                                \
		BEGIN;                                                                   \
		key = (at >> 33) & (n - 1);                                              \
		u64 *v = bpf_map_lookup_elem(&map, &key);                                \
		if (v)                                                                   \
			done += *v;                                                      \
		END;                                                                     \
	}
#define UPDATE(map, n)                                                                   \
	SEC("xdp") int update_##map(struct xdp_md *ctx)                                  \
	{                                                                                \
		u64 value = 1;                                                           \
		BEGIN;                                                                   \
		key = (at >> 33) & (n - 1);                                              \
		done += !bpf_map_update_elem(&map, &key, &value, BPF_ANY);               \
		END;                                                                     \
	}
/* A key goes and comes back. */
#define CHURN(map, n)                                                                    \
	SEC("xdp") int churn_##map(struct xdp_md *ctx)                                   \
	{                                                                                \
		u64 value = 1;                                                           \
		BEGIN;                                                                   \
		key = (at >> 33) & (n - 1);                                              \
		bpf_map_delete_elem(&map, &key);                                         \
		done += !bpf_map_update_elem(&map, &key, &value, BPF_ANY);               \
		END;                                                                     \
	}
/* The same, each slot with keys of its own, odd or even: for two threads. */
#define OWN_KEY(n) (((at >> 33) & (n - 1) & ~1u) | (bpf_get_smp_processor_id() & 1))
#define OWN_LOOKUP(map, n)                                                               \
	SEC("xdp") int own_lookup_##map(struct xdp_md *ctx)                              \
	{                                                                                \
		BEGIN;                                                                   \
		key = OWN_KEY(n);                                                        \
		u64 *v = bpf_map_lookup_elem(&map, &key);                                \
		if (v)                                                                   \
			done += *v;                                                      \
		END;                                                                     \
	}
#define OWN_UPDATE(map, n)                                                               \
	SEC("xdp") int own_update_##map(struct xdp_md *ctx)                              \
	{                                                                                \
		u64 value = 1;                                                           \
		BEGIN;                                                                   \
		key = OWN_KEY(n);                                                        \
		done += !bpf_map_update_elem(&map, &key, &value, BPF_ANY);               \
		END;                                                                     \
	}
#define OWN_CHURN(map, n)                                                                \
	SEC("xdp") int own_churn_##map(struct xdp_md *ctx)                               \
	{                                                                                \
		u64 value = 1;                                                           \
		BEGIN;                                                                   \
		key = OWN_KEY(n);                                                        \
		bpf_map_delete_elem(&map, &key);                                         \
		done += !bpf_map_update_elem(&map, &key, &value, BPF_ANY);               \
		END;                                                                     \
	}
#define OWN(map, n) OWN_LOOKUP(map, n) OWN_UPDATE(map, n) OWN_CHURN(map, n)
#define ALL(map, n) LOOKUP(map, n) UPDATE(map, n) CHURN(map, n)

ALL(hash_1k, (1 << 10))
ALL(hash_64k, (1 << 16))
ALL(hash_1m, (1 << 20))
OWN(hash_1k, (1 << 10))
OWN(hash_64k, (1 << 16))
OWN(hash_1m, (1 << 20))
OWN_LOOKUP(lru_64k, (1 << 16))
OWN_UPDATE(lru_64k, (1 << 17)) /* half of the keys are not there */
LOOKUP(percpu_64k, (1 << 16))
UPDATE(percpu_64k, (1 << 16))
LOOKUP(lru_64k, (1 << 16))

/* Values of several words: an update makes a new element. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, u32);
	__type(value, struct wide);
} wide_64k SEC(".maps");

SEC("xdp") int update_wide_64k(struct xdp_md *ctx)
{
	struct wide value = {{1}};
	BEGIN;
	key = (at >> 33) & ((1 << 16) - 1);
	value.words[7] = at;
	done += !bpf_map_update_elem(&wide_64k, &key, &value, BPF_ANY);
	END;
}

LOOKUP(array_1k, CELLS)

SEC("xdp") int increment_percpu_array_1k(struct xdp_md *ctx)
{
	u64 *v;
	BEGIN;
	key = (at >> 33) & (CELLS - 1);
	v = bpf_map_lookup_elem(&percpu_array_1k, &key);
	if (v)
		done += ++*v;
	END;
}

/* Half of the keys are not there: every other step evicts. */
SEC("xdp") int evict_lru_64k(struct xdp_md *ctx)
{
	u64 value = 1;
	BEGIN;
	key = (at >> 33) & ((1 << 17) - 1);
	done += !bpf_map_update_elem(&lru_64k, &key, &value, BPF_ANY);
	END;
}

struct record {
	u64 words[8];
};

SEC("xdp") int report(struct xdp_md *ctx)
{
	u32 done = 0;

	for (u32 i = 0; i < STEPS; i++) {
		struct record *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

		if (!r)
			break;
		r->words[0] = i;
		r->words[7] = i;
		bpf_ringbuf_submit(r, 0);
		done++;
	}
	return done;
}

char _license[] SEC("license") = "GPL";
