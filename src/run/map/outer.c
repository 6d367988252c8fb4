/* SPDX-License-Identifier: MIT
 *
 * outer.c: templates of inner maps; see outer.h. What the verifier says about a value of
 * an inner map it says about the template's: so a map fits when there is no difference
 * that a program could notice.
 */
#include "run/map/outer.h"

static bool same_field(const struct run_field *a, const struct run_field *b)
{
	if (a->kind != b->kind || a->off != b->off || a->size != b->size ||
	    a->node_off != b->node_off)
		return false;
	if (a->alien || b->alien)
		return false; /* a pointee that nothing tells from others of that name */
	return a->storable == b->storable && a->local == b->local && a->btf == b->btf &&
	       a->type == b->type;
}

static bool same_fields(const struct fields *a, const struct fields *b)
{
	if (!a || !b)
		return a == b;
	for (u32 i = 0; i < a->n && a->n == b->n; i++)
		if (!same_field(&a->at[i], &b->at[i]))
			return false;
	return a->n == b->n;
}

/* Flags that say what hosts may do, or where memory is, make no difference. */
static u32 visible_flags(const struct map *map)
{
	return map->flags & ~(u32)(BIT(2) | BIT(3) | BIT(4));
}

int template_fits(const struct map *outer, const struct map *inner)
{
	const struct map *t = outer->template;
	bool array = inner->type == MAP_ARRAY && !(inner->flags & MAPF_INNER_MAP);

	if (inner->host != outer->host || t->type != inner->type ||
	    t->key_size != inner->key_size || t->value_size != inner->value_size ||
	    visible_flags(t) != visible_flags(inner))
		return -EINVAL;
	if (array && t->max_entries != inner->max_entries)
		return -EINVAL;
	return same_fields(t->fields, inner->fields) ? 0 : -EINVAL;
}

int template_create(struct log *log, const struct map *outer, const struct image_map *def,
		    struct map **out)
{
	const struct map_ops *ops = map_ops_of(def->type);
	struct map *map;
	int err;

	if (ops && (ops->put || ops->unbounded))
		return log_fail(log, -EINVAL,
				"map '%s': maps of type %s cannot be inside of others",
				def->name, abi_map_type(def->type)->name);
	map = calloc(1, sizeof(*map));
	if (!map)
		return log_fail(log, -ENOMEM, "map '%s': out of memory", def->name);
	err = map_proto(log, outer->host, def, map);
	if (err) {
		free(map);
		return err;
	}
	*out = map;
	return 0;
}

void template_free(struct map *map)
{
	if (!map)
		return;
	fields_free(map->fields);
	free(map->name);
	free(map);
}
