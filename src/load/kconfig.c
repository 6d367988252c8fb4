/* SPDX-License-Identifier: MIT
 *
 * kconfig.c: `extern ... __kconfig`: constants of the kernel that the program is for. They
 * become one read-only map, whose values the verifier may rely on when all are known; one
 * that is not could be anything.
 */
#include "load/load.h"

static const struct abi_setting *find(const struct abi *abi, const char *name)
{
	for (u32 i = 0; i < abi->nsettings; i++)
		if (!strcmp(abi->settings[i].name, name))
			return &abi->settings[i];
	return NULL;
}

/* Gives each variable its place; the size of them all. Variables are scalars, or arrays of
 * char for strings: an alignment of 8 suits all. */
static u32 lay_out(struct loader *ld, u32 datasec)
{
	struct btf_type *t = (struct btf_type *)(uintptr_t)btf_type(ld->image->btf, datasec);
	struct btf_secinfo *vars = (struct btf_secinfo *)(uintptr_t)btf_secinfos(t);
	u32 end = 0;

	for (u32 i = 0; i < btf_vlen(t); i++) {
		u32 size = 0;

		btf_size(ld->image->btf, vars[i].type, &size);
		vars[i].offset = end;
		vars[i].size = size;
		end += ROUND_UP(min_u32(size, 4096), 8);
	}
	t->size = end;
	return end;
}

/* Writes what is known; false when something is not. */
static bool fill(const struct loader *ld, u32 datasec, u8 *bytes)
{
	const struct btf *btf = ld->image->btf;
	const struct btf_type *t = btf_type(btf, datasec);
	bool known = true;

	for (u32 i = 0; i < btf_vlen(t); i++) {
		const struct btf_secinfo *var = &btf_secinfos(t)[i];
		const struct abi_setting *s = find(ld->abi, btf_type_name(btf, var->type));

		if (s && var->size <= sizeof(s->value))
			memcpy(bytes + var->offset, &s->value, var->size);
		else
			known = false;
	}
	return known;
}

int kconfig_collect(struct loader *ld)
{
	struct image_map map = {.name = ".kconfig", .kind = IMAP_RODATA, .inner = -1,
				.type = MAP_ARRAY, .key_size = 4, .max_entries = 1,
				.flags = MAPF_RDONLY_PROG};
	u32 datasec = ld->image->btf ? btf_find(ld->image->btf, ".kconfig", BTF_DATASEC) : 0;
	u8 *bytes;

	if (!datasec || !ld->abi->nsettings)
		return 0;
	map.value_size = lay_out(ld, datasec);
	bytes = arena_alloc(ld->arena, map.value_size);
	if (!bytes)
		return load_nomem(ld);
	map.frozen = fill(ld, datasec, bytes);
	map.data = bytes;
	ld->kconfig = datasec;
	ld->kconfig_map = ld->maps.n;
	if (!vec_push(&ld->maps, map) || !vec_push(&ld->map_offs, UINT32_MAX))
		return load_nomem(ld);
	return 0;
}

bool kconfig_find(const struct loader *ld, const char *name, u32 *off)
{
	const struct btf *btf = ld->image->btf;
	const struct btf_type *t;

	if (!ld->kconfig)
		return false;
	t = btf_type(btf, ld->kconfig);
	for (u32 i = 0; i < btf_vlen(t); i++)
		if (!strcmp(btf_type_name(btf, btf_secinfos(t)[i].type), name)) {
			*off = btf_secinfos(t)[i].offset;
			return true;
		}
	return false;
}
