/* SPDX-License-Identifier: MIT
 *
 * kconfig.c: `extern ... __kconfig`: constants of the kernel that the program is for. What
 * is known of them becomes one read-only map whose values the verifier relies on; the rest
 * another, whose values could be anything.
 */
#include "load/load.h"

enum { KNOWN, UNKNOWN, NR_PARTS, MOST_BYTES = 1 << 16 };

static const struct abi_setting *find(const struct abi *abi, const char *name)
{
	static const struct abi_setting none;

	for (u32 i = 0; i < abi->nsettings; i++)
		if (!strcmp(abi->settings[i].name, name))
			return &abi->settings[i];
	/* The loader's own, of another version: it would say 0. */
	return strncmp(name, "LINUX_", 6) ? NULL : &none;
}

/* Each variable's part and place in it. They are scalars, or strings: 8 aligns all. */
static int lay_out(struct loader *ld, u32 datasec, u32 sizes[NR_PARTS])
{
	const struct btf *btf = ld->image->btf;
	const struct btf_type *t = btf_type(btf, datasec);

	for (u32 i = 0; i < btf_vlen(t); i++) {
		u32 var = btf_secinfos(t)[i].type;
		struct load_kconfig k = {.name = btf_type_name(btf, var),
					 .type = btf_skip_mods(btf, btf_type(btf, var)->type)};

		k.known = find(ld->abi, k.name);
		btf_size(btf, k.type, &k.size);
		if (k.size > sizeof(k.known->value))
			k.known = NULL; /* a string */
		k.part = k.known ? KNOWN : UNKNOWN;
		k.off = sizes[k.part];
		sizes[k.part] += ROUND_UP(min_u32(k.size, MOST_BYTES), 8);
		if (sizes[k.part] > MOST_BYTES)
			return load_fail(ld, -E2BIG, "kconfig variables of more than %u bytes",
					 MOST_BYTES);
		if (!vec_push(&ld->kconfigs, k))
			return load_nomem(ld);
	}
	return 0;
}

/* "y" as the variable's type has it: a character, true, or the first of an enum's. */
static u64 value_of(const struct btf *btf, const struct load_kconfig *k)
{
	const struct btf_type *t = btf_type(btf, k->type);

	if (!k->known->yes)
		return k->known->value;
	return btf_kind(t) == BTF_INT && !btf_int_bool(t) && t->size == 1 ? 'y' : 1;
}

static int add_map(struct loader *ld, u32 part, u32 size)
{
	static const char *const names[] = {".kconfig", ".kconfig.unknown"};
	struct image_map map = {.name = names[part], .kind = IMAP_RODATA, .inner = -1,
				.type = MAP_ARRAY, .key_size = 4, .max_entries = 1,
				.value_size = size, .flags = MAPF_RDONLY_PROG,
				.frozen = part == KNOWN};
	u8 *bytes = arena_alloc(ld->arena, size);

	if (!bytes)
		return load_nomem(ld);
	for (u32 i = 0; i < ld->kconfigs.n; i++) {
		const struct load_kconfig *k = &ld->kconfigs.v[i];
		u64 value = k->known ? value_of(ld->image->btf, k) : 0;

		if (k->part == KNOWN && part == KNOWN)
			memcpy(bytes + k->off, &value, k->size);
	}
	map.data = bytes;
	ld->kconfig_maps[part] = ld->maps.n;
	if (!vec_push(&ld->maps, map) || !vec_push(&ld->map_offs, UINT32_MAX))
		return load_nomem(ld);
	return 0;
}

int kconfig_collect(struct loader *ld)
{
	u32 datasec = ld->image->btf ? btf_find(ld->image->btf, ".kconfig", BTF_DATASEC) : 0;
	u32 sizes[NR_PARTS] = {0};

	if (!datasec || !ld->abi->nsettings)
		return 0;
	TRY(lay_out(ld, datasec, sizes));
	for (u32 part = 0; part < NR_PARTS; part++)
		if (sizes[part])
			TRY(add_map(ld, part, sizes[part]));
	return 0;
}

bool kconfig_find(const struct loader *ld, const char *name, u32 *map, u32 *off)
{
	for (u32 i = 0; i < ld->kconfigs.n; i++)
		if (!strcmp(ld->kconfigs.v[i].name, name)) {
			*map = ld->kconfig_maps[ld->kconfigs.v[i].part];
			*off = ld->kconfigs.v[i].off;
			return true;
		}
	return false;
}
