/* SPDX-License-Identifier: MIT
 *
 * helpers.c: the table of helpers, and who provides one: the host for a program type,
 * else the library.
 */
#include "run/helper/helpers.h"

static const struct {
	u32 id;
	helper_fn *fn;
} table[] = {
#define HELPER(id, name) {id, helper_##name},
#include "run/helper/helpers.def"
#undef HELPER
};

static void *of_host(struct pintle_host *host, const struct abi_prog_type *type, u32 id)
{
	for (u32 i = 0; type && i < host->helpers.n; i++) {
		const struct host_helper *h = &host->helpers.v[i];

		if (h->id == id && !strcmp(h->prog_type, type->name))
			return h->fn;
	}
	return NULL;
}

bool helper_is_own(struct pintle_host *host, const struct abi_prog_type *type, u32 id)
{
	return !of_host(host, type, id);
}

void *helper_find(struct pintle_host *host, const struct abi_prog_type *type, u32 id)
{
	void *fn = of_host(host, type, id);

	for (u32 i = 0; !fn && i < ARRAY_SIZE(table); i++)
		if (table[i].id == id)
			fn = (void *)table[i].fn;
	return fn;
}
