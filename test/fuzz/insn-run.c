/* SPDX-License-Identifier: MIT
 *
 * Any bytes, or any text that assembles, as a program that reads packets: what the verifier accepts runs on packets of
 * several sizes, and neither crashes nor touches memory that is not its own (ASan sees
 * that), nor goes on for ever.
 */
#include "base/arena.h"
#include "run/map/map.h"
#include "run/map/ring.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SIZE = 4096, VERIFY_INSNS = 20000 };

struct packet { /* the context at run time */
	u8 *data, *data_end, *data_meta;
	u32 ingress, queue;
};

#define PACKET(n, at, real, k)                                                           \
	{.name = n, .off = at, .size = 4, .real_off = offsetof(struct packet, real),     \
	 .real_size = 8, .reads = 4, .kind = k}
#define NUMBER(n, at, real)                                                              \
	{.name = n, .off = at, .size = 4, .real_off = offsetof(struct packet, real),     \
	 .real_size = 4, .reads = 4, .writes = 4, .kind = CTX_SCALAR}

static struct abi_ctx_field fields[] = {
	PACKET("data", 0, data, CTX_PACKET), PACKET("data_end", 4, data_end, CTX_PACKET_END),
	PACKET("data_meta", 8, data_meta, CTX_PACKET_META),
	NUMBER("ingress_ifindex", 12, ingress), NUMBER("rx_queue_index", 16, queue),
};

static struct helper_set helpers;

static struct abi_prog_type type = {
	.name = "xdp", .section = "xdp", .kind = PROG_CTX, .ctx_name = "xdp_md", .ctx_size = 20,
	.fields = fields, .nfields = ARRAY_SIZE(fields), .packet_writable = true,
	.helpers = &helpers,
};

static struct image_map defs[] = {
	{.name = "array", .type = MAP_ARRAY, .key_size = 4, .value_size = 48, .max_entries = 2,
	 .inner = -1},
	{.name = "hash", .type = MAP_HASH, .key_size = 8, .value_size = 16, .max_entries = 4,
	 .inner = -1},
	{.name = "percpu", .type = MAP_PERCPU_ARRAY, .key_size = 4, .value_size = 24,
	 .max_entries = 1, .inner = -1},
	{.name = "lru", .type = MAP_LRU_HASH, .key_size = 4, .value_size = 8,
	 .max_entries = 2, .inner = -1},
	{.name = "percpu_hash", .type = MAP_PERCPU_HASH, .key_size = 4, .value_size = 12,
	 .max_entries = 3, .inner = -1},
	{.name = "lpm", .type = MAP_LPM_TRIE, .key_size = 8, .value_size = 8,
	 .max_entries = 3, .flags = MAPF_NO_PREALLOC, .inner = -1},
	{.name = "queue", .type = MAP_QUEUE, .value_size = 12, .max_entries = 2, .inner = -1},
	{.name = "bloom", .type = MAP_BLOOM_FILTER, .value_size = 4, .max_entries = 9,
	 .inner = -1},
	{.name = "ring", .type = MAP_RINGBUF, .max_entries = 4096, .inner = -1},
	{.name = "maps", .type = MAP_HASH_OF_MAPS, .key_size = 4, .value_size = 4,
	 .max_entries = 3, .inner = 1},
};

static struct pintle_host *host;
enum { RING = 8 };
static struct map *maps[ARRAY_SIZE(defs)];

/* All that there are, but the one that may take minutes and be right. */
static void list_helpers(void)
{
	for (u32 id = 1; id < NR_HELPER_IDS; id++)
		if (id != HELPER_loop && helper_find(host, &type, id))
			helper_set_add(&helpers, id);
}

static void fill_outer(struct map *outer, struct map *inner)
{
	u32 key = 0;

	run_read_lock(host);
	if (outer->ops->put(outer, &key, inner, 0))
		abort();
	run_read_unlock(host);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	host = pintle_host_new(PINTLE_OPTS(pintle_host_opts, .max_slots = 2));
	if (!host)
		abort();
	for (u32 i = 0; i < ARRAY_SIZE(defs); i++)
		if (map_create(NULL, host, &defs[i], &defs[1], &maps[i]))
			abort();
	fill_outer(maps[ARRAY_SIZE(defs) - 1], maps[1]);
	list_helpers();
	return 0;
}

static void *find_map(void *data, u32 index)
{
	return index < ARRAY_SIZE(maps) ? maps[index] : NULL;
}

static void *find_value(void *data, u32 index)
{
	struct map *map = find_map(data, index);

	return map && map->ops->direct ? map->ops->direct(map) : NULL;
}

static void *find_helper(void *data, const struct abi_prog_type *of, u32 id)
{
	return helper_find(host, of, id);
}

/* What a run left in the ring: all of it must be committed. */
static void consume(struct map *map)
{
	struct ring *ring = ring_of(map);
	u32 len;

	while (ring_peek(ring, &len))
		ring_pass(ring);
	if (map->ops->count(map))
		abort();
}

static void run_on(const struct code *code, size_t size)
{
	struct run_scope scope;
	u8 *bytes = malloc(size + !size); /* exactly: what lies behind is not the packet */
	struct packet packet = {bytes, bytes + size, bytes, 1, 2};

	if (!bytes || !run_begin(&scope, host, false))
		abort();
	memset(bytes, 0x45, size);
	interp_run(code, code->entry[0], (u64)(uintptr_t)&packet, 0, scope.slot);
	run_end(&scope);
	free(bytes);
	consume(maps[RING]);
}

static void run_proof(const struct proof *proof)
{
	static const struct link link = {
		.map = find_map, .map_value = find_value, .helper = find_helper};
	static const size_t sizes[] = {0, 1, 14, 60, 300};
	struct code *code = NULL;
	u32 at;

	if (lower(NULL, proof, &link, &code))
		return;
	if (code_check(code, &at))
		abort();
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
		run_on(code, sizes[i]);
	code_free(code);
}

static void try_program(struct log *log, struct arena *arena, const struct image *image)
{
	static const struct verify_opts opts = {.max_insns = VERIFY_INSNS};
	struct rejection why = {0};
	struct proof *proof = NULL;

	if (!verify(arena, log, image, &image->progs[0], &opts, &proof, &why, NULL))
		run_proof(proof);
	else if (!why.message || !why.explanation)
		abort();
	proof_free(proof);
}

/* Changed text is a program more often than changed bytes are. */
static struct insn *to_insns(struct arena *arena, const u8 *data, size_t size, u32 *n)
{
	char *text = arena_strndup(arena, (const char *)data, size);
	struct insn *insns;

	if (text && !isa_assemble(arena, NULL, text, &insns, n))
		return insns;
	*n = (u32)(size / sizeof(*insns));
	return arena_memdup(arena, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct log log = {0};
	struct image *image = NULL;
	struct insn *insns;
	u32 n;

	if (!arena || !size || size > MAX_SIZE)
		goto out;
	insns = to_insns(arena, data, size, &n);
	if (insns && !image_from_insns(&log, &host->abi, "fuzz", &type, insns, n, &image)) {
		image->maps = defs;
		image->nmaps = ARRAY_SIZE(defs);
		try_program(&log, arena, image);
	}
out:
	image_free(image);
	log_free(&log);
	arena_free(arena);
	return 0;
}
