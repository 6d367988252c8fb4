/* SPDX-License-Identifier: MIT
 *
 * keep.c: comparing what two objects say of a map, or of a type of their own. A map is kept
 * when no program of either object could notice a difference: same attributes, keys and
 * values of the same layout by BTF, the same special fields of the same types; and that
 * again for every struct of the programs' own that such a field may lead to.
 *
 * Two types that refer to each other are the same if nothing shows that they are not: pairs
 * under comparison are in a list and count as the same meanwhile.
 *
 * Callers: load.c, before it makes a map; local.c, before it makes a type.
 */
#include "run/keep.h"

#include "base/arena.h"
#include "base/log.h"
#include "btf/record.h"

#include <stdarg.h>

struct pair {
	u32 old, new;
};

struct cmp {
	struct keep *keep;
	struct arena *arena;
	VEC(struct pair) pairs; /* structs found the same, or being compared */
};

static int differs(struct keep *keep, const char *fmt, ...) FORMAT(2, 3);
static int differs(struct keep *keep, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(keep->why, sizeof(keep->why), fmt, args);
	va_end(args);
	return KEEP_DIFFERS;
}

static int begin(struct cmp *c, struct keep *keep)
{
	*c = (struct cmp){.keep = keep, .arena = arena_new()};
	return c->arena ? 0 : -ENOMEM;
}

static int end(struct cmp *c, int answer)
{
	vec_free(&c->pairs);
	arena_free(c->arena);
	return answer;
}

/* ------------------------------------------------------------------ layout */

/* The first member that is not what it was, looking no deeper; NULL: not at this depth. */
static const char *member_apart(const struct btf *a, const struct btf_type *x,
				const struct btf *b, const struct btf_type *y)
{
	const struct btf_member *p = btf_members(x), *q = btf_members(y);
	u32 n = btf_vlen(x), m = btf_vlen(y);

	for (u32 i = 0; i < n || i < m; i++) {
		u32 size_p = 0, size_q = 0;

		if (i >= n)
			return btf_str(b, q[i].name_off);
		if (i >= m || strcmp(btf_str(a, p[i].name_off), btf_str(b, q[i].name_off)))
			return btf_str(a, p[i].name_off);
		btf_size(a, p[i].type, &size_p);
		btf_size(b, q[i].type, &size_q);
		if (btf_member_bit(x, &p[i]) != btf_member_bit(y, &q[i]) || size_p != size_q)
			return btf_str(a, p[i].name_off);
	}
	return NULL;
}

static int same_layout(struct cmp *c, const char *what, u32 old, u32 new)
{
	const struct btf *a = c->keep->old->btf, *b = c->keep->new->btf;
	const struct btf_type *x, *y;
	const char *path = NULL, *member = NULL;

	if (!old || !new)
		return old == new ? KEEP_SAME
				  : differs(c->keep, "its %s has a type in one of both only", what);
	if (btf_layout_same(c->arena, a, old, b, new, &path))
		return KEEP_SAME;
	x = btf_type(a, btf_skip_mods(a, old));
	y = btf_type(b, btf_skip_mods(b, new));
	if (btf_is_composite(x) && btf_is_composite(y))
		member = member_apart(a, x, b, y);
	if (member)
		return differs(c->keep, "member '%s' of its %s changed", member, what);
	return path ? differs(c->keep, "its %s changed at '%s'", what, path) : -ENOMEM;
}

/* ------------------------------------------------------------------ special fields */

static int same_structs(struct cmp *c, u32 old, u32 new);

static int same_field(struct cmp *c, const struct field *a, const struct field *b)
{
	const char *path = a->path ? a->path : "?";

	if (a->off != b->off || a->size != b->size || a->seq != b->seq)
		return differs(c->keep, "special fields lie elsewhere, from '%s' on", path);
	if (a->kind != b->kind)
		return differs(c->keep, "field '%s' was %s, is %s", path,
			       field_kind_name(a->kind), field_kind_name(b->kind));
	if (a->local != b->local || a->node_off != b->node_off)
		return differs(c->keep, "field '%s' is of another type", path);
	if (!a->btf || !b->btf)
		return a->btf == b->btf ? KEEP_SAME
					: differs(c->keep, "field '%s' is of another type", path);
	if (a->btf == c->keep->old->btf && b->btf == c->keep->new->btf)
		return same_structs(c, a->type, b->type);
	return a->btf == b->btf && a->type == b->type
		       ? KEEP_SAME
		       : differs(c->keep, "field '%s' is of another type", path);
}

static int same_records(struct cmp *c, const struct record *a, const struct record *b)
{
	u32 n = a ? a->n : 0, m = b ? b->n : 0;

	for (u32 i = 0; i < n && i < m; i++)
		TRY(same_field(c, &a->fields[i], &b->fields[i]));
	if (n == m)
		return KEEP_SAME;
	return differs(c->keep, "field '%s' is in one of both only",
		       n > m ? a->fields[m].path : b->fields[n].path);
}

static int parse(struct cmp *c, const struct image *image, u32 type, struct record **out)
{
	struct log log = {.limit = 1};
	struct record_opts opts;
	int err;

	image_record_opts(image, &opts);
	err = record_parse(c->arena, &log, "type", image->btf, type, &opts, out);
	log_free(&log);
	return err;
}

static bool is_known(const struct cmp *c, u32 old, u32 new)
{
	for (u32 i = 0; i < c->pairs.n; i++)
		if (c->pairs.v[i].old == old && c->pairs.v[i].new == new)
			return true;
	return false;
}

static int same_structs(struct cmp *c, u32 old, u32 new)
{
	const char *name = btf_type_name(c->keep->old->btf, old);
	struct record *a = NULL, *b = NULL;
	int err, other;

	if (is_known(c, old, new))
		return KEEP_SAME;
	if (strcmp(name, btf_type_name(c->keep->new->btf, new)))
		return differs(c->keep, "struct %s became struct %s", name,
			       btf_type_name(c->keep->new->btf, new));
	if (!vec_push(&c->pairs, ((struct pair){old, new})))
		return -ENOMEM;
	TRY(same_layout(c, name, old, new));
	err = parse(c, c->keep->old, old, &a);
	other = parse(c, c->keep->new, new, &b);
	if (err == -ENOMEM || other == -ENOMEM)
		return -ENOMEM;
	if (err || other) /* neither may have any */
		return err && other ? KEEP_SAME : differs(c->keep, "struct %s changed", name);
	return same_records(c, a, b);
}

int keep_same_type(struct keep *keep, u32 old_type, u32 new_type)
{
	struct cmp c;

	TRY(begin(&c, keep));
	return end(&c, same_structs(&c, old_type, new_type));
}

/* ------------------------------------------------------------------ maps */

static int same_attributes(struct keep *keep, const struct image_map *a,
			   const struct image_map *b)
{
	const struct {
		const char *name;
		u64 old, new;
	} rows[] = {
		{"key_size", a->key_size, b->key_size},
		{"value_size", a->value_size, b->value_size},
		{"max_entries", a->max_entries, b->max_entries},
		{"flags", a->flags, b->flags},
		{"map_extra", a->map_extra, b->map_extra},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].old != rows[i].new)
			return differs(keep, "%s was %llu, is %llu", rows[i].name,
				       (unsigned long long)rows[i].old,
				       (unsigned long long)rows[i].new);
	return KEEP_SAME;
}

static int same_def(struct cmp *c, const struct image_map *a, const struct image_map *b)
{
	struct keep *keep = c->keep;

	if (a->type != b->type)
		return differs(keep, "its type was %s, is %s", abi_map_type(a->type)->name,
			       abi_map_type(b->type)->name);
	TRY(same_layout(c, "key", a->key_type, b->key_type));
	TRY(same_layout(c, "value", a->value_type, b->value_type));
	TRY(same_attributes(keep, a, b));
	TRY(same_records(c, a->record, b->record));
	if ((a->inner < 0) != (b->inner < 0))
		return differs(keep, "one of both has no inner maps");
	return a->inner < 0 ? KEEP_SAME
			    : same_def(c, &keep->old->maps[a->inner],
				       &keep->new->maps[b->inner]);
}

/* ------------------------------------------------------------------ variables */

static int same_vars(struct cmp *c, u32 old, u32 new)
{
	const struct btf *a = c->keep->old->btf, *b = c->keep->new->btf;
	const struct btf_type *x = btf_type(a, old), *y = btf_type(b, new);
	const struct btf_secinfo *p = btf_secinfos(x), *q = btf_secinfos(y);

	for (u32 i = 0; i < btf_vlen(x) && i < btf_vlen(y); i++) {
		const char *name = btf_type_name(a, p[i].type);

		if (strcmp(name, btf_type_name(b, q[i].type)) || p[i].offset != q[i].offset ||
		    p[i].size != q[i].size)
			return differs(c->keep, "variable '%s' changed", name);
		TRY(same_layout(c, name, btf_type(a, p[i].type)->type,
				btf_type(b, q[i].type)->type));
	}
	return btf_vlen(x) == btf_vlen(y) ? KEEP_SAME
					  : differs(c->keep, "variables came or went");
}

/* An arena has its programs' variables among what is in it. */
static int same_arena_vars(struct cmp *c, const struct image_map *a, const struct image_map *b)
{
	const char *section = ".addr_space.1";
	const struct btf *x = c->keep->old->btf, *y = c->keep->new->btf;
	u32 old = x && a->data_size ? btf_find(x, section, BTF_DATASEC) : 0;
	u32 new = y && b->data_size ? btf_find(y, section, BTF_DATASEC) : 0;

	if (old && new)
		TRY(same_vars(c, old, new));
	return a->data_size == b->data_size
		       ? KEEP_SAME
		       : differs(c->keep, "its variables had %llu bytes, have %llu",
				 (unsigned long long)a->data_size,
				 (unsigned long long)b->data_size);
}

int keep_same_map(struct keep *keep, const struct image_map *old, const struct image_map *new)
{
	struct cmp c;
	int answer;

	TRY(begin(&c, keep));
	answer = same_def(&c, old, new);
	if (!answer)
		answer = same_arena_vars(&c, old, new);
	return end(&c, answer);
}

int keep_same_data(struct keep *keep, const struct image_map *old, const struct image_map *new)
{
	struct cmp c;
	int answer;

	if (old->value_size != new->value_size || !old->value_type || !new->value_type)
		return differs(keep, "its size was %u, is %u", old->value_size,
			       new->value_size);
	TRY(begin(&c, keep));
	answer = same_vars(&c, old->value_type, new->value_type);
	if (!answer)
		answer = same_records(&c, old->record, new->record);
	return end(&c, answer);
}
