/* SPDX-License-Identifier: MIT
 *
 * mapdef.c: the maps of an object: those declared through BTF in section .maps, and one
 * array of a single value for each global data section.
 *
 * A declaration is a struct variable whose members say by their *types* what the map is:
 * `__uint(max_entries, 8)` is a pointer to int[8], `__type(key, T)` a pointer to T.
 */
#include "load/load.h"

enum { MAX_NAME = 128 };

/* Which member of struct image_map an __uint() member fills in. */
static const struct {
	const char *name;
	size_t off;
} uints[] = {
	{"type", offsetof(struct image_map, type)},
	{"key_size", offsetof(struct image_map, key_size)},
	{"value_size", offsetof(struct image_map, value_size)},
	{"max_entries", offsetof(struct image_map, max_entries)},
	{"map_flags", offsetof(struct image_map, flags)},
};

/* Members that say nothing to a process; accepted. */
static const char *const ignored[] = {"numa_node", "map_ifindex"};

static int member_ulong(struct loader *ld, const char *map, const char *member, u32 type,
			u64 *value)
{
	const struct btf *btf = ld->image->btf;
	u32 id = btf_skip_mods(btf, type);
	const struct btf_type *t;

	if (btf_kind(btf_type(btf, id)) == BTF_PTR)
		id = btf_skip_mods(btf, btf_type(btf, id)->type);
	t = btf_type(btf, id);
	if (btf_kind(t) == BTF_ARRAY)
		*value = btf_array(t)->nelems;
	else if (btf_kind(t) == BTF_ENUM && btf_vlen(t) == 1) /* __ulong(): its one value */
		*value = (u32)btf_enumerators(t)[0].val;
	else if (btf_kind(t) == BTF_ENUM64 && btf_vlen(t) == 1)
		*value = btf_enumerators64(t)[0].lo | (u64)btf_enumerators64(t)[0].hi << 32;
	else
		return load_fail(ld, -EINVAL, "map '%s': member '%s' is not of the form "
				 "__uint(%s, N)", map, member, member);
	return 0;
}

static int member_uint(struct loader *ld, const char *map, const char *member, u32 type,
		       u32 *value)
{
	u64 wide = 0;

	TRY(member_ulong(ld, map, member, type, &wide));
	if (wide > UINT32_MAX)
		return load_fail(ld, -EINVAL, "map '%s': member '%s' has more than 32 bits", map,
				 member);
	*value = (u32)wide;
	return 0;
}

/* __type(key, T) or __type(value, T): sizes must agree with an explicit size. */
static int member_type(struct loader *ld, const char *map, const char *member, u32 type,
		       u32 *id, u32 *size)
{
	const struct btf *btf = ld->image->btf;
	u32 ptr = btf_skip_mods(btf, type), bytes;

	if (btf_kind(btf_type(btf, ptr)) != BTF_PTR)
		return load_fail(ld, -EINVAL, "map '%s': member '%s' is not of the form "
				 "__type(%s, T)", map, member, member);
	*id = btf_type(btf, ptr)->type;
	if (!btf_size(btf, *id, &bytes))
		return load_fail(ld, -EINVAL, "map '%s': the type of its %s has no size", map,
				 member);
	if (*size && *size != bytes)
		return load_fail(ld, -EINVAL, "map '%s': %s_size is %u but its type has %u bytes",
				 map, member, *size, bytes);
	*size = bytes;
	return 0;
}

static int member_pinning(struct loader *ld, const char *map, u32 type)
{
	u32 value = 0;

	TRY(member_uint(ld, map, "pinning", type, &value));
	if (value)
		log_print(ld->log, LOG_NOTE, "%s: map '%s': pinning is ignored: maps live in "
			  "this process\n", ld->name, map);
	return 0;
}

static bool is_ignored(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(ignored); i++)
		if (!strcmp(name, ignored[i]))
			return true;
	return false;
}

static int parse_members(struct loader *ld, struct image_map *map, u32 id, bool inner);

/* __array(values, struct inner) or __array(values, int ()): the inner map's template. */
static int member_values(struct loader *ld, struct image_map *map, u32 type)
{
	const struct btf *btf = ld->image->btf;
	struct image_map inner = {.inner = -1};
	u32 id = btf_skip_mods(btf, type), target;

	if (btf_kind(btf_type(btf, id)) != BTF_ARRAY)
		return load_fail(ld, -EINVAL, "map '%s': member 'values' is not an array",
				 map->name);
	id = btf_skip_mods(btf, btf_array(btf_type(btf, id))->type);
	target = btf_kind(btf_type(btf, id)) == BTF_PTR
			 ? btf_skip_mods(btf, btf_type(btf, id)->type) : 0;
	if (!map->value_size)
		map->value_size = sizeof(u32);
	if (btf_kind(btf_type(btf, target)) == BTF_FUNC_PROTO)
		return 0; /* a program array */
	if (btf_kind(btf_type(btf, target)) != BTF_STRUCT)
		return load_fail(ld, -EINVAL, "map '%s': 'values' must point to a map "
				 "definition or a function", map->name);
	inner.name = arena_printf(ld->arena, "%s.inner", map->name);
	if (!inner.name)
		return load_nomem(ld);
	TRY(parse_members(ld, &inner, target, true));
	if (!vec_push(&ld->maps, inner) || !vec_push(&ld->map_offs, UINT32_MAX))
		return load_nomem(ld);
	map->inner = (s32)ld->maps.n - 1;
	return 0;
}

static int parse_member(struct loader *ld, struct image_map *map, const char *name,
			u32 type, bool inner)
{
	for (u32 i = 0; i < ARRAY_SIZE(uints); i++)
		if (!strcmp(name, uints[i].name))
			return member_uint(ld, map->name, name, type,
					   (u32 *)((char *)map + uints[i].off));
	if (!strcmp(name, "key"))
		return member_type(ld, map->name, name, type, &map->key_type, &map->key_size);
	if (!strcmp(name, "value"))
		return member_type(ld, map->name, name, type, &map->value_type,
				   &map->value_size);
	if (!strcmp(name, "pinning"))
		return member_pinning(ld, map->name, type);
	if (!strcmp(name, "values") && !inner)
		return member_values(ld, map, type);
	if (!strcmp(name, "map_extra"))
		return member_ulong(ld, map->name, name, type, &map->map_extra);
	if (is_ignored(name))
		return 0;
	return load_fail(ld, -ENOTSUP, "map '%s': unknown member '%s'%s", map->name, name,
			 inner ? " in an inner map" : "");
}

static int parse_members(struct loader *ld, struct image_map *map, u32 id, bool inner)
{
	const struct btf *btf = ld->image->btf;
	const struct btf_type *t = btf_type(btf, id);
	const struct btf_member *m = btf_members(t);

	for (u32 i = 0; i < btf_vlen(t); i++) {
		const char *name = btf_str(btf, m[i].name_off);

		for (u32 k = 0; k < i; k++) /* few: each has a name of its own that we know */
			if (!strcmp(btf_str(btf, m[k].name_off), name))
				return load_fail(ld, -EINVAL, "map '%s': member '%s' is given "
						 "twice", map->name, name);
		TRY(parse_member(ld, map, name, m[i].type, inner));
	}
	if (!map->type)
		return load_fail(ld, -EINVAL, "map '%s': no type: add __uint(type, "
				 "BPF_MAP_TYPE_...)", map->name);
	return 0;
}

static int parse_declared(struct loader *ld, const struct strmap *symbols, u32 var)
{
	const struct btf *btf = ld->image->btf;
	struct image_map map = {.inner = -1, .kind = IMAP_DECLARED};
	u32 id, sym = 0;

	map.name = btf_type_name(btf, var);
	if (!*map.name || strlen(map.name) >= MAX_NAME)
		return load_fail(ld, -EINVAL, "a map in .maps has no name, or one too long");
	if (btf_kind(btf_type(btf, var)) != BTF_VAR)
		return load_fail(ld, -EINVAL, "map '%s': not a variable in BTF", map.name);
	id = btf_skip_mods(btf, btf_type(btf, var)->type);
	if (btf_kind(btf_type(btf, id)) != BTF_STRUCT)
		return load_fail(ld, -EINVAL, "map '%s': its definition is not a struct",
				 map.name);
	if (!strmap_get(symbols, map.name, &sym))
		return load_fail(ld, -EINVAL, "map '%s' is in BTF but has no symbol in .maps",
				 map.name);
	TRY(load_excuse(ld, parse_members(ld, &map, id, false), &map.wrong));
	if (!vec_push(&ld->maps, map) || !vec_push(&ld->map_offs, (u32)ld->syms[sym].value))
		return load_nomem(ld);
	return 0;
}

static int collect_declared(struct loader *ld)
{
	const struct btf *btf = ld->image->btf;
	struct strmap symbols = {0};
	u32 id;
	int err;

	ld->maps_sec = elf_find_sec(ld, ".maps");
	if (!ld->maps_sec)
		return 0;
	if (!btf)
		return load_fail(ld, -EINVAL, "section .maps needs BTF: compile with -g");
	id = btf_find(btf, ".maps", BTF_DATASEC);
	if (!id)
		return load_fail(ld, -EINVAL, "section .maps is not described in .BTF");
	err = elf_symbols_of(ld, ld->maps_sec, &symbols);
	for (u32 i = 0; i < btf_vlen(btf_type(btf, id)) && !err; i++)
		err = parse_declared(ld, &symbols, btf_secinfos(btf_type(btf, id))[i].type);
	strmap_free(&symbols);
	return err;
}

static enum image_map_kind data_kind(const struct elf_sec *sec)
{
	if (!sec->data)
		return IMAP_BSS;
	return strncmp(sec->name, ".rodata", 7) ? IMAP_DATA : IMAP_RODATA;
}

static int collect_data(struct loader *ld, u32 i)
{
	struct elf_sec *sec = &ld->secs[i];
	struct image_map map = {.name = sec->name, .kind = data_kind(sec), .inner = -1,
				.type = MAP_ARRAY, .key_size = 4, .max_entries = 1,
				.value_size = (u32)sec->size};

	/* libbpf leaves pointers in data as they are: 0. */
	if (sec->nrels && !ld->abi->each_program)
		return load_fail(ld, -ENOTSUP, "section '%s': initialised pointers in global "
				 "data are not supported", sec->name);
	if (sec->described)
		map.value_type = btf_find(ld->image->btf, sec->name, BTF_DATASEC);
	if (sec->data) {
		map.data = arena_memdup(ld->arena, sec->data, sec->size);
		if (!map.data)
			return load_nomem(ld);
	}
	if (map.kind == IMAP_RODATA) {
		map.frozen = true;
		map.flags = MAPF_RDONLY_PROG;
	}
	sec->map = (s32)ld->maps.n;
	if (!vec_push(&ld->maps, map) || !vec_push(&ld->map_offs, UINT32_MAX))
		return load_nomem(ld);
	return 0;
}

/*
 * Sizes that an object leaves open, whoever loads it fills in: no kernel makes such a map.
 * So that its programs can be judged at all, the commonest is assumed, and said.
 */
static void assume_sizes(struct loader *ld, struct image_map *map)
{
	if (map->wrong || !abi_map_type(map->type)->value_direct ||
	    (map->key_size && map->value_size))
		return;
	log_print(ld->log, LOG_NOTE, "%s: map '%s': a size is left to whoever loads the object: "
		  "4 is assumed\n", ld->name, map->name);
	map->key_size = map->key_size ? map->key_size : 4;
	map->value_size = map->value_size ? map->value_size : 4;
}

int maps_collect(struct loader *ld)
{
	if (elf_find_sec(ld, "maps"))
		return load_fail(ld, -ENOTSUP, "legacy map definitions in section 'maps': declare "
				 "maps in SEC(\".maps\")");
	TRY(collect_declared(ld));
	for (u32 i = 0; ld->abi->each_program && i < ld->maps.n; i++)
		assume_sizes(ld, &ld->maps.v[i]);
	for (u32 i = 1; i < ld->nsecs; i++)
		if (elf_is_data(&ld->secs[i]))
			TRY(collect_data(ld, i));
	return 0;
}

/* Whether a map of its type and flags may have all of @rec (A28, A29). */
static bool fields_allowed(const struct abi *abi, const struct image_map *map,
			   const struct record *rec)
{
	bool restricted = map->flags & (MAPF_RDONLY_PROG | MAPF_WRONLY_PROG);
	bool old = abi->policy.maps_612;

	for (u32 i = 0; i < rec->n; i++) {
		enum field_kind kind = rec->fields[i].kind;

		if (restricted || !abi_map_allows(abi_map_type(map->type), kind) ||
		    (old && (map->type == MAP_LPM_TRIE || kind == FIELD_UPTR)))
			return false;
	}
	return true;
}

/*
 * Special fields of one map's values. A map that its types make impossible is refused, with
 * the object; or, as libbpf does, made without types: then no field of it is special, and
 * programs that use one as such are refused.
 */
static int map_record(struct loader *ld, struct image_map *map,
		      const struct record_opts *opts)
{
	bool typeless_ok = ld->abi->each_program;
	struct record *rec = NULL;
	char what[MAX_NAME + 64];
	int err;

	snprintf(what, sizeof(what), "%s: map '%s'", ld->name, map->name);
	err = record_parse(ld->arena, ld->log, what, ld->image->btf, map->value_type, opts,
			   &rec);
	if (!err && !typeless_ok)
		err = abi_check_fields(ld->log, &ld->abi->policy, map->name, map->type,
				       map->flags, map->value_size, rec);
	if (err && (err == -ENOMEM || !typeless_ok))
		return err;
	if (!err && (!typeless_ok || !rec || fields_allowed(ld->abi, map, rec)))
		map->record = rec;
	else
		map->key_type = map->value_type = 0;
	if (err)
		log_print(ld->log, LOG_NOTE, "%s: no field of its values is special\n", what);
	return 0;
}

int maps_records(struct loader *ld)
{
	struct record_opts opts;

	if (!ld->image->btf)
		return 0;
	image_record_opts(ld->image, &opts);
	for (u32 i = 0; i < ld->maps.n; i++) {
		struct image_map *map = &ld->maps.v[i];

		if (map->value_type)
			TRY(map_record(ld, map, &opts));
	}
	return 0;
}
