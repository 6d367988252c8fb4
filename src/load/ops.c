/* SPDX-License-Identifier: MIT
 *
 * ops.c: structs of functions (.struct_ops): which program is assigned to which member.
 * Each variable of such a section is a struct whose members are relocated to programs.
 *
 * Where the host has operations structs (abi.ops), each variable becomes a map of its own,
 * with its numbers in the host's layout: members go by their names, as CO-RE has it. What
 * cannot be so is refused here: addresses that are not programs'; and, if there is anything
 * in it, numbers where the host has pointers, other sizes and layouts, bit fields, members
 * that the host lacks.
 */
#include "load/load.h"

/* ------------------------------------------------------------------ what is in a section */

static bool is_ops(const struct elf_sec *sec)
{
	const char *name = sec->name + (*sec->name == '?');

	return !strcmp(name, ".struct_ops") || !strcmp(name, ".struct_ops.link");
}

/* The variable of @datasec that byte @off lies in. */
static const struct btf_secinfo *var_at(const struct btf *btf, u32 datasec, u64 off)
{
	const struct btf_type *t = btf_type(btf, datasec);

	for (u32 i = 0; i < btf_vlen(t); i++) {
		const struct btf_secinfo *var = &btf_secinfos(t)[i];

		if (off >= var->offset && off < (u64)var->offset + var->size)
			return var;
	}
	return NULL;
}

/* "name___flavour" is a version of struct "name". */
static const char *plain_name(struct loader *ld, const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour ? arena_strndup(ld->arena, name, (size_t)(flavour - name)) : name;
}

static struct load_func *func_of(struct loader *ld, const struct elf_rel *rel)
{
	const struct elf_sym *sym = &ld->syms[rel->sym];

	if (!sym->sec || sym->sec >= ld->nsecs || !ld->secs[sym->sec].insns)
		return NULL;
	return func_at(ld, sym->sec, (u32)(sym->value / sizeof(struct insn)));
}

/* ------------------------------------------------------------------ names only */

static int assign(struct loader *ld, u32 datasec, const struct elf_rel *rel)
{
	const struct btf *btf = ld->image->btf;
	const struct btf_secinfo *var = var_at(btf, datasec, rel->off);
	struct load_func *func = func_of(ld, rel);
	const char *why;
	struct btf_at at;
	u32 type;

	if (!var || !func)
		return 0;
	type = btf_skip_mods(btf, btf_type(btf, var->type)->type);
	if (btf_kind(btf_type(btf, type)) != BTF_STRUCT ||
	    !btf_walk(btf, type, (u32)rel->off - var->offset, 8, false, &at, &why))
		return 0;
	func->ops = plain_name(ld, btf_type_name(btf, type));
	func->member = btf_str(btf, btf_members(btf_type(btf, at.owner))[at.member].name_off);
	return func->ops ? 0 : load_nomem(ld);
}

/* ------------------------------------------------------------------ maps of a host */

/* One variable while it becomes a map. */
struct table {
	struct loader *ld;
	const struct elf_sec *sec;
	u32 off, size; /* in the section */
	const char *name;
	const struct abi_ops *ops;
	u8 *data; /* in the host's layout */
	u32 nrels; /* of its relocations, those that were understood */
};

#define table_fail(t, member, fmt, ...)                                                  \
	load_fail((t)->ld, -EINVAL, "operations '%s': member '%s' of struct %s: " fmt, (t)->name, \
		  member, (t)->ops->name, ##__VA_ARGS__)

static const struct btf_member *host_member(const struct abi_ops *ops, const char *name)
{
	const struct btf_type *t = btf_type(ops->btf, ops->type);

	for (u32 i = 0; i < btf_vlen(t); i++)
		if (!strcmp(btf_str(ops->btf, btf_members(t)[i].name_off), name))
			return &btf_members(t)[i];
	return NULL;
}

/* Whether there is a pointer in it, or what is too deep to tell. */
static bool has_pointer(const struct btf *btf, u32 id, u32 depth)
{
	const struct btf_type *t = btf_type(btf, id = btf_skip_mods(btf, id));

	switch (btf_kind(t)) {
	case BTF_INT:
	case BTF_ENUM:
	case BTF_ENUM64:
	case BTF_FLOAT:
		return false;
	case BTF_ARRAY:
		return !depth || has_pointer(btf, btf_array(t)->type, depth - 1);
	case BTF_STRUCT:
	case BTF_UNION:
		for (u32 i = 0; i < btf_vlen(t); i++)
			if (!depth || has_pointer(btf, btf_members(t)[i].type, depth - 1))
				return true;
		return false;
	default:
		return true;
	}
}

static bool is_zero(const u8 *bytes, u32 size)
{
	for (u32 i = 0; bytes && i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

/* Structs and arrays of one size may differ; numbers of one are as good as each other. */
static bool same_layout(const struct table *t, u32 own, u32 host)
{
	const struct btf *a = t->ld->image->btf, *b = t->ops->btf;
	u32 kinds = BIT(btf_kind(btf_type(a, btf_skip_mods(a, own)))) |
		    BIT(btf_kind(btf_type(b, btf_skip_mods(b, host))));
	const char *path;

	return !(kinds & (BIT(BTF_STRUCT) | BIT(BTF_UNION) | BIT(BTF_ARRAY))) ||
	       btf_layout_same(t->ld->tmp, a, own, b, host, &path);
}

/* Numbers of one member, from the object's layout to the host's. */
static int copy_number(struct table *t, const struct btf_member *from, const char *name,
		       const u8 *bytes, u32 size)
{
	const struct btf *btf = t->ops->btf;
	const struct btf_type *outer = btf_type(btf, t->ops->type);
	const struct btf_member *to = host_member(t->ops, name);
	u32 to_size;

	if (is_zero(bytes, size))
		return 0;
	if (!to)
		return table_fail(t, name, "it is set, but this host's struct has no such member");
	if (btf_member_bits(outer, to))
		return table_fail(t, name, "unsupported: a bit field that is set");
	if (has_pointer(btf, to->type, 8))
		return table_fail(t, name, "only functions are set by programs; here, the host has "
				  "a pointer");
	if (!btf_size(btf, to->type, &to_size) || to_size != size)
		return table_fail(t, name, "%u bytes, where the host has %u", size, to_size);
	if (!same_layout(t, from->type, to->type))
		return table_fail(t, name, "it is not laid out as the host's");
	memcpy(t->data + btf_member_bit(outer, to) / 8, bytes, size);
	return 0;
}

/* Bit fields of the object's: they have neighbours in their bytes, and the last may have
 * none. */
static int check_bits(struct table *t, const char *name, u32 bit, u32 bits)
{
	const u8 *bytes = t->sec->data ? t->sec->data + t->off : NULL;

	if (!add_fits(bit, bits, (u64)t->size * 8))
		return table_fail(t, name, "it lies outside of the variable");
	for (u32 i = bit; bytes && i < bit + bits; i++)
		if (bytes[i / 8] & BIT(i % 8))
			return table_fail(t, name, "unsupported: a bit field that is set");
	return 0;
}

static const struct elf_rel *rel_at(const struct elf_sec *sec, u64 off)
{
	for (u32 i = 0; i < sec->nrels; i++)
		if (sec->rels[i].off == off)
			return &sec->rels[i];
	return NULL;
}

static int set_function(struct table *t, const char *name, const struct elf_rel *rel)
{
	const struct abi_ops_member *member = abi_ops_member(t->ops, name);
	struct load_func *func = func_of(t->ld, rel);
	struct load_op op = {.map = t->ld->maps.n, .func = func};

	t->nrels++;
	if (!member)
		return table_fail(t, name, "it is set to an address, but no function of this "
				  "host's struct");
	if (!func)
		return table_fail(t, name, "it is set to '%s', which is no program",
				  t->ld->syms[rel->sym].name);
	if (func->ops && (strcmp(func->ops, t->ops->name) || strcmp(func->member, name)))
		return table_fail(t, name, "program '%s' is assigned to '%s' of struct %s, too",
				  func->name, func->member, func->ops);
	func->ops = t->ops->name;
	func->member = member->name;
	func->unwanted = false;
	func->wanted |= *t->sec->name == '?';
	op.off = member->off;
	return vec_push(&t->ld->ops, op) ? 0 : load_nomem(t->ld);
}

static int read_member(struct table *t, const struct btf_type *type, const struct btf_member *m)
{
	const struct btf *btf = t->ld->image->btf;
	const char *name = btf_str(btf, m->name_off);
	u32 off = btf_member_bit(type, m) / 8, size;
	const struct elf_rel *rel = rel_at(t->sec, (u64)t->off + off);

	if (btf_member_bits(type, m))
		return check_bits(t, name, btf_member_bit(type, m), btf_member_bits(type, m));
	if (!btf_size(btf, m->type, &size) || !add_fits(off, size, t->size))
		return table_fail(t, name, "it lies outside of the variable");
	if (rel)
		return set_function(t, name, rel);
	return copy_number(t, m, name, t->sec->data ? t->sec->data + t->off + off : NULL, size);
}

static int read_table(struct table *t, u32 id)
{
	const struct btf_type *type = btf_type(t->ld->image->btf, id);
	u32 nrels = 0;

	for (u32 i = 0; i < btf_vlen(type); i++)
		TRY(read_member(t, type, &btf_members(type)[i]));
	for (u32 i = 0; i < t->sec->nrels; i++)
		nrels += t->sec->rels[i].off - t->off < t->size;
	if (nrels != t->nrels)
		return load_fail(t->ld, -EINVAL, "operations '%s': an address is set where struct "
				 "%s has no function", t->name, t->ops->name);
	return 0;
}

static int push_map(struct table *t)
{
	struct loader *ld = t->ld;
	struct image_map map = {
		.name = t->name, .kind = IMAP_OPS, .type = MAP_STRUCT_OPS, .key_size = 4,
		.value_size = t->ops->size, .max_entries = 1, .inner = -1, .data = t->data,
		.ops = t->ops,
	};

	return vec_push(&ld->maps, map) && vec_push(&ld->map_offs, UINT32_MAX) ? 0
									       : load_nomem(ld);
}

static int make_table(struct loader *ld, const struct elf_sec *sec,
		      const struct btf_secinfo *var)
{
	const struct btf *btf = ld->image->btf;
	u32 id = btf_skip_mods(btf, btf_type(btf, var->type)->type);
	struct table t = {.ld = ld, .sec = sec, .off = var->offset, .size = var->size,
			  .name = btf_type_name(btf, var->type)};
	const char *name = plain_name(ld, btf_type_name(btf, id));

	if (!name)
		return load_nomem(ld);
	if (btf_kind(btf_type(btf, id)) != BTF_STRUCT)
		return load_fail(ld, -EINVAL, "operations '%s': not a struct", t.name);
	t.ops = abi_find_ops(ld->abi, name);
	if (!t.ops)
		return load_fail(ld, -ENOENT, "operations '%s': struct %s is no operations struct "
				 "of this host", t.name, name);
	t.data = arena_alloc(ld->arena, t.ops->size);
	if (!t.data)
		return load_nomem(ld);
	TRY(read_table(&t, id));
	return push_map(&t);
}

/* ------------------------------------------------------------------ those that are optional */

/* Whether @name is one of @list, "a|b|c". */
static bool is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; at && *at; at += strcspn(at, "|"), at += *at == '|')
		if ((strcspn(at, "|") == len && !strncmp(at, name, len)) || *at == '*')
			return true;
	return false;
}

/* Nobody asked for it. */
static void skip_table(struct loader *ld, const struct elf_sec *sec, const struct btf_secinfo *var)
{
	for (u32 i = 0; i < sec->nrels; i++) {
		struct load_func *func = func_of(ld, &sec->rels[i]);

		if (func && !func->ops && sec->rels[i].off - var->offset < var->size)
			func->unwanted = true;
	}
}

static int make_tables(struct loader *ld, const struct elf_sec *sec, u32 datasec)
{
	const struct btf *btf = ld->image->btf;
	const struct btf_type *t = btf_type(btf, datasec);

	for (u32 i = 0; i < btf_vlen(t); i++) {
		const struct btf_secinfo *var = &btf_secinfos(t)[i];

		if (*sec->name == '?' && !is_listed(ld->opts->tables, btf_type_name(btf, var->type)))
			skip_table(ld, sec, var);
		else
			TRY(make_table(ld, sec, var));
	}
	return 0;
}

static bool is_made(const struct loader *ld, const char *name, size_t len)
{
	for (u32 i = 0; i < ld->maps.n; i++)
		if (ld->maps.v[i].kind == IMAP_OPS && strlen(ld->maps.v[i].name) == len &&
		    !strncmp(ld->maps.v[i].name, name, len))
			return true;
	return false;
}

/* What was asked for is there. */
static int check_asked(struct loader *ld)
{
	const char *list = ld->opts->tables;

	for (const char *at = list; at && *at; at += strcspn(at, "|"), at += *at == '|')
		if (*at != '*' && !is_made(ld, at, strcspn(at, "|")))
			return load_fail(ld, -ENOENT, "the object has no operations '%.*s'",
					 (int)strcspn(at, "|"), at);
	return 0;
}

/* ------------------------------------------------------------------ all */

static int read_section(struct loader *ld, const struct elf_sec *sec)
{
	u32 datasec = sec->described ? btf_find(ld->image->btf, sec->name, BTF_DATASEC) : 0;

	if (ld->abi->ops.n && !ld->opts->look_only) {
		if (!datasec)
			return load_fail(ld, -EINVAL, "section %s is not described in .BTF: "
					 "compile with -g", sec->name);
		return make_tables(ld, sec, datasec);
	}
	for (u32 i = 0; datasec && i < sec->nrels; i++)
		TRY(assign(ld, datasec, &sec->rels[i]));
	return 0;
}

int ops_collect(struct loader *ld)
{
	for (u32 s = 1; s < ld->nsecs; s++)
		if (is_ops(&ld->secs[s]))
			TRY(read_section(ld, &ld->secs[s]));
	return check_asked(ld);
}
