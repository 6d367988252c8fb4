/* SPDX-License-Identifier: MIT
 *
 * Any bytes as BTF: whatever opens, strictly or as a host's, must answer every question
 * about every type without a fault, and each in bounded time.
 */
#include "base/arena.h"
#include "base/log.h"
#include "btf/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SIZE = 1 << 16 };

static bool dtor_of_even(void *data, const struct btf *btf, u32 type)
{
	return type % 2 == 0;
}

static void ask_names(struct arena *arena, const struct btf *btf, u32 id)
{
	u32 count, size;

	btf_size(btf, id, &size);
	btf_find(btf, btf_type_name(btf, id), btf_kind(btf_type(btf, id)));
	btf_decl_tag(btf, id, 0, "contains:", &count);
	btf_ptr_has_tag(btf, id, "kptr");
	/* whole bodies of a few: what a chain of structs prints grows with each */
	btf_decl(arena, btf, id, "x", id % 16 == 0);
}

static void ask_layout(struct arena *arena, const struct btf *btf, u32 id)
{
	u32 other = btf_end(btf) - 1 - id;
	const char *words;
	struct btf_at at;

	btf_walk(btf, id, id, 8, id % 2, &at, &words);
	btf_struct_at(btf, id, 0, btf, other, false);
	btf_layout_same(arena, btf, id, btf, other, &words);
	btf_layout_known(arena, btf, id, btf, other, &words);
}

static void ask_record(struct arena *arena, const struct btf *btf, u32 id)
{
	struct record_opts opts = {
		.era = (enum tag_era)(id % 3), .lenient = id % 2, .host = &btf, .nhost = id % 2,
		.has_dtor = dtor_of_even,
	};
	struct record *rec;

	if (!record_parse(arena, NULL, "fuzz", btf, id, &opts, &rec))
		record_overlap(rec, 0, 8);
}

static void ask_core(struct arena *arena, const struct btf *btf, u32 id)
{
	struct core_relo relo = {.type_id = id, .access_str_off = id, .kind = id % 14};
	struct core_result res;

	core_resolve(NULL, btf, &relo, &btf, 1, &res);
	core_spec_str(arena, btf, &relo);
}

static void ask(const struct btf *btf)
{
	for (u32 id = 0; id < btf_end(btf) && id < 400; id++) {
		struct arena *arena = arena_new();

		if (!arena)
			return;
		ask_names(arena, btf, id);
		ask_layout(arena, btf, id);
		ask_record(arena, btf, id);
		ask_core(arena, btf, id);
		arena_free(arena);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct btf *btf;

	if (size > MAX_SIZE)
		return -1;
	if (!btf_open(NULL, "fuzz", data, (u32)size, NULL, &btf))
		ask(btf);
	btf_close(btf);
	if (!btf_open_host(NULL, "fuzz", data, (u32)size, NULL, &btf))
		ask(btf);
	btf_close(btf);
	return 0;
}
