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
