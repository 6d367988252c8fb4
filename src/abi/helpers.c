/* SPDX-License-Identifier: MIT
 *
 * helpers.c: the table of helper prototypes, from helpers.def, looked up by number.
 */
#include "abi/proto.h"

enum { LAST_HELPER = 211 };

static const struct abi_helper helpers[LAST_HELPER + 1] = {
#define HELPER(number, name_, ...)                                                       \
	[number] = {.id = number, .name = "bpf_" #name_, __VA_ARGS__},
#include "abi/helpers.def"
#undef HELPER
};

static const char *const names[] = {
#define N(name) "bpf_" #name,
#include "abi/helper_names.def"
#undef N
};

const struct abi_helper *abi_helper(u32 id)
{
	return id <= LAST_HELPER && helpers[id].name ? &helpers[id] : NULL;
}

const struct abi_helper *abi_helper_by_name(const char *name)
{
	for (u32 id = 0; id <= LAST_HELPER; id++)
		if (helpers[id].name && !strcmp(helpers[id].name, name))
			return &helpers[id];
	return NULL;
}

const char *abi_helper_name(u32 id)
{
	return id && id < ARRAY_SIZE(names) ? names[id] : NULL;
}

enum why {
	WHY_NONE,
#define WHY(id, ...) WHY_##id,
#define GONE(...)
#include "abi/helpers_gone.def"
};

const struct abi_gone *abi_helper_gone(u32 id)
{
	static const struct abi_gone whys[] = {
#define WHY(id, why, instead) [WHY_##id] = {why, instead},
#define GONE(...)
#include "abi/helpers_gone.def"
	};
	static const u8 gone[NR_HELPER_IDS] = {
#define WHY(...)
#define GONE(name, id) [HELPER_##name] = WHY_##id,
#include "abi/helpers_gone.def"
	};

	return id < NR_HELPER_IDS && gone[id] ? &whys[gone[id]] : NULL;
}
