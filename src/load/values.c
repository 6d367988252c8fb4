/* SPDX-License-Identifier: MIT
 *
 * values.c: what maps of maps and program arrays hold from the start:
 *
 *	.values = { [0] = &inner, [2] = (void *)&prog }
 *
 * Each is a relocation of section .maps, at the place of the value in its map's variable.
 */
#include "load/load.h"

/* The declared map whose variable begins last at or before @off, or -1. */
static s32 map_around(const struct loader *ld, u64 off)
{
	s32 found = -1;

	for (u32 i = 0; i < ld->maps.n; i++) {
		u32 at = ld->map_offs.v[i];

		if (at <= off && at != UINT32_MAX &&
		    (found < 0 || at > ld->map_offs.v[found]))
			found = (s32)i;
	}
	return found;
}

/* Where `values` is in the variable of map @name. */
static bool values_off(const struct btf *btf, const char *name, u64 *off)
{
	u32 var = btf_find(btf, name, BTF_VAR);
	const struct btf_type *t =
		btf_type(btf, btf_skip_mods(btf, btf_type(btf, var)->type));

	for (u32 i = 0; var && btf_kind(t) == BTF_STRUCT && i < btf_vlen(t); i++)
		if (!strcmp(btf_str(btf, btf_members(t)[i].name_off), "values")) {
			*off = btf_members(t)[i].offset / 8;
			return true;
		}
	return false;
}

static s32 prog_named(const struct image *image, const char *name)
{
	for (u32 i = 0; i < image->nprogs; i++)
		if (!strcmp(image->progs[i].name, name))
			return (s32)i;
	return -1;
}

static int resolve(struct loader *ld, const struct image_map *map,
		   const struct elf_sym *sym, struct image_value *value)
{
	struct load_func *func = NULL;
	bool maps = map->type == MAP_ARRAY_OF_MAPS || map->type == MAP_HASH_OF_MAPS;

	value->map = value->prog = -1;
	if (maps && sym->sec == ld->maps_sec) {
		value->map = map_around(ld, sym->value);
		if (value->map >= 0 && ld->map_offs.v[value->map] != sym->value)
			value->map = -1;
	}
	if (map->type == MAP_PROG_ARRAY && sym->sec && sym->sec < ld->nsecs &&
	    ld->secs[sym->sec].insns)
		func = func_at(ld, sym->sec, (u32)(sym->value / sizeof(struct insn)));
	if (func)
		value->prog = prog_named(ld->image, func->name);
	if (value->map < 0 && value->prog < 0)
		return load_fail(ld, -EINVAL, "map '%s': value %u is '%s', which is no %s",
				 map->name, value->key, sym->name,
				 maps ? "map" : "program");
	return 0;
}

static int add_value(struct loader *ld, struct image_map *map, struct image_value value)
{
	struct image_value *all =
		arena_array(ld->arena, map->nvalues + 1, sizeof(*all));

	if (!all)
		return load_nomem(ld);
	if (map->nvalues)
		memcpy(all, map->values, map->nvalues * sizeof(*all));
	all[map->nvalues++] = value;
	map->values = all;
	return 0;
}

static int read_value(struct loader *ld, const struct elf_rel *rel)
{
	s32 index = map_around(ld, rel->off);
	struct image_value value;
	struct image_map *map;
	u64 off, at;

	if (index < 0)
		return load_fail(ld, -EINVAL, "section .maps: relocation at offset %llu is "
				 "in no map", (unsigned long long)rel->off);
	map = &ld->maps.v[index];
	if (map->wrong)
		return 0;
	at = rel->off - ld->map_offs.v[index];
	if (!values_off(ld->image->btf, map->name, &off) || at < off || (at - off) % 8)
		return load_fail(ld, -EINVAL, "map '%s': relocation at offset %llu is no "
				 "value of it", map->name, (unsigned long long)at);
	value.key = (u32)((at - off) / 8);
	TRY(resolve(ld, map, &ld->syms[rel->sym], &value));
	return add_value(ld, map, value);
}

static int add_op(struct loader *ld, const struct load_op *op)
{
	struct image_value value = {.key = op->off, .map = -1,
				    .prog = prog_named(ld->image, op->func->name)};

	if (value.prog < 0)
		return load_fail(ld, -EINVAL, "'%s': '%s' is no program: it is in section .text",
				 ld->maps.v[op->map].name, op->func->name);
	return add_value(ld, &ld->maps.v[op->map], value);
}

int values_collect(struct loader *ld)
{
	const struct elf_sec *sec = &ld->secs[ld->maps_sec];

	for (u32 i = 0; i < ld->ops.n; i++)
		TRY(add_op(ld, &ld->ops.v[i]));
	for (u32 i = 0; ld->maps_sec && ld->image->btf && i < sec->nrels; i++) {
		s32 index = map_around(ld, sec->rels[i].off);
		const char **wrong = index < 0 ? NULL : &ld->maps.v[index].wrong;
		int err = read_value(ld, &sec->rels[i]);

		if (err && (!wrong || load_excuse(ld, err, wrong)))
			return err;
	}
	return 0;
}
