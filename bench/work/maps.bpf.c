/* SPDX-License-Identifier: MIT
 *
 * maps.bpf.c: work on maps. The native twins have what a C programmer would write instead:
 * an array, and a small open hash table.
 */
#include "work.h"

struct flow {
	u32 from, to;
	u16 sport, dport;
	u32 protocol;
};

struct counters {
	u64 packets, bytes;
};

#ifdef NATIVE
static u64 cells[256];
static u64 own_cells[256];
static struct counters flows[1024];
static struct flow keys[1024];
static u8 used[1024];

static u32 slot_of(const struct flow *f)
{
	u32 h = f->from * 0x9e3779b1 ^ f->to * 0x85ebca77 ^ (f->sport << 16 | f->dport);

	h ^= h >> 15;
	h *= 0x2c1b3c6d;
	h ^= h >> 13;
	while (used[h & 1023] && __builtin_memcmp(&keys[h & 1023], f, sizeof(*f)))
		h++;
	return h & 1023;
}

static struct counters *find_flow(const struct flow *f)
{
	u32 at = slot_of(f);

	return used[at] ? &flows[at] : 0;
}

static void add_flow(const struct flow *f, const struct counters *c)
{
	u32 at = slot_of(f);

	keys[at] = *f;
	flows[at] = *c;
	used[at] = 1;
}

static u64 *find_cell(u32 key)
{
	return key < 256 ? &cells[key] : 0;
}

static u64 *find_own(u32 key)
{
	return key < 256 ? &own_cells[key] : 0;
}
#else
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, u32);
	__type(value, u64);
} cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 256);
	__type(key, u32);
	__type(value, u64);
} own_cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, struct flow);
	__type(value, struct counters);
} flows SEC(".maps");

#define find_cell(key) ({ u32 k_ = key; (u64 *)bpf_map_lookup_elem(&cells, &k_); })
#define find_own(key) ({ u32 k_ = key; (u64 *)bpf_map_lookup_elem(&own_cells, &k_); })
#define find_flow(f) ((struct counters *)bpf_map_lookup_elem(&flows, f))
#define add_flow(f, c) bpf_map_update_elem(&flows, f, c, 0)
#endif

WORK(array_map)
{
	u32 at = 1, sum = 0;

	for (u32 i = 0; i < 64; i++) {
		u64 *v = find_cell(at);

		if (!v)
			break;
		*v += i;
		sum += at;
		at = (at * 5 + 3) & 255;
	}
	return sum;
}

WORK(array_constant)
{
	u64 *a = find_cell(3), *b = find_cell(7);

	if (!a || !b)
		return 0;
	*a += 1;
	*b += *a;
	return 1;
}

WORK(percpu_map)
{
	u32 at = 1, sum = 0;

	for (u32 i = 0; i < 64; i++) {
		u64 *v = find_own(at);

		if (!v)
			break;
		*v += i;
		sum += at;
		at = (at * 5 + 3) & 255;
	}
	return sum;
}

static __attribute__((always_inline)) void make_flow(struct flow *f, u32 i)
{
	f->from = i * 77;
	f->to = 0x0a000001;
	f->sport = i;
	f->dport = 443;
	f->protocol = 6;
}

WORK(fill)
{
	struct counters c = {0, 0};
	struct flow f;

	for (u32 i = 0; i < 256; i++) {
		make_flow(&f, i);
		add_flow(&f, &c);
	}
	return 0;
}

WORK(hash_map)
{
	struct flow f;
	u32 hits = 0;

	for (u32 i = 0; i < 32; i++) {
		struct counters *c;

		make_flow(&f, i * 3);
		c = find_flow(&f);
		if (!c)
			continue;
		c->packets++;
		c->bytes += i;
		hits++;
	}
	return hits;
}

WORK(balancer) /* of one packet: which backend, counted */
{
	struct counters *c;
	struct flow f;
	u64 *backend;
	u32 h;

	make_flow(&f, 17);
	c = find_flow(&f);
	if (!c)
		return 1;
	c->packets++;
	c->bytes += 64;
	h = f.from * 0x9e3779b1 ^ f.sport;
	backend = find_cell((h >> 24) & 255);
	if (!backend)
		return 2;
	*backend += 1;
	return 3;
}
