/* SPDX-License-Identifier: MIT
 *
 * struct_ops.c: a map that is one operations table (ops.h): one value, in the layout of the
 * host's struct, made from the object's declaration and never written after. Programs cannot
 * name it. Hosts read it, with functions as 0.
 */
#include "run/map/index.h"
#include "run/ops/ops.h"

struct ops_table *ops_table_of(struct map *map)
{
	return container_of(map, struct ops_table, map);
}

static struct ops_call *calls_new(const struct abi_ops *ops)
{
	struct ops_call *calls = calloc(ops->nmembers + 1, sizeof(calls[0]));

	for (u32 i = 0; calls && i < ops->nmembers; i++) {
		calls[i].thunk = NO_THUNK;
		ops_call_shape(&ops->members[i], &calls[i]);
	}
	return calls;
}

static size_t table_size(const struct map *proto)
{
	return ROUND_UP(offsetof(struct ops_table, bytes) + proto->value_size, (size_t)64);
}

static int create(struct log *log, const struct map *proto, const struct image_map *def,
		  struct map **out)
{
	struct ops_table *t;
	struct ops_call *calls;

	if (!def->ops || def->value_size != def->ops->size)
		return log_fail(log, -EINVAL,
				"map '%s': a table of operations is a variable in "
				"SEC(\".struct_ops\")", def->name);
	t = aligned_alloc(64, table_size(proto));
	calls = calls_new(def->ops);
	if (!t || !calls) {
		free(t);
		free(calls);
		return log_fail(log, -ENOMEM, "map '%s': out of memory", def->name);
	}
	memset(t, 0, table_size(proto));
	t->map = *proto;
	t->type = def->ops->data;
	t->calls = calls;
	memcpy(t->bytes, def->data, def->value_size);
	*out = &t->map;
	return 0;
}

static void destroy(struct map *map)
{
	struct ops_table *t = ops_table_of(map);

	ops_unready(map);
	free(t->calls);
	free(t);
}

/* @key is where the member is in the host's struct. */
static int put(struct map *map, const void *key, void *prog, u64 flags)
{
	struct ops_table *t = ops_table_of(map);
	const struct abi_ops *ops = t->type->abi;
	struct pintle_prog *p = prog;

	for (u32 i = 0; i < ops->nmembers && !flags; i++) {
		if (ops->members[i].off != index_of(key))
			continue;
		if (t->ready || p->image->type != ops->members[i].type)
			return -EINVAL;
		t->calls[i].prog = p;
		t->object = p->object;
		return 0;
	}
	return -EINVAL;
}

static int read_value(struct map *map, const void *key, void *value)
{
	struct ops_table *t = ops_table_of(map);
	const struct abi_ops *ops = t->type->abi;

	if (index_of(key))
		return -ENOENT;
	memcpy(value, t->bytes, map->value_size);
	for (u32 i = 0; i < ops->nmembers; i++)
		memset((char *)value + ops->members[i].off, 0, sizeof(void *));
	return 0;
}

static void each_value(struct map *map, void (*fn)(void *data, void *value), void *data)
{
}

const struct map_ops map_struct_ops_ops = {
	.type = MAP_STRUCT_OPS,
	.create = create,
	.free = destroy,
	.put = put,
	.remove = index_remove,
	.next_key = index_next_key,
	.count = index_count,
	.read = read_value,
	.each_value = each_value,
};
