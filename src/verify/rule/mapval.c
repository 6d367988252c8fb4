/* SPDX-License-Identifier: MIT
 *
 * mapval.c: accesses of map values and keys: inside the value, allowed by the map's flags,
 * beside special fields (which are kptr.c's), and no address into plain bytes (B10).
 * Constants of frozen maps (.rodata) are known numbers.
 */
#include "verify/rule/rule.h"

int check_map_mode(struct env *env, const struct image_map *map, bool write, s64 off,
		   u32 size)
{
	if (write && (map->frozen || map->flags & MAPF_RDONLY_PROG))
		return reject(env, RULE_MAP_WRITE, map->value_size, off, size);
	if (!write && map->flags & MAPF_WRONLY_PROG)
		return reject(env, RULE_MAP_READ, map->value_size, off, size);
	return 0;
}

static int check_modes(struct env *env, const struct access *acc)
{
	s64 off = (s64)acc->ptr.off + acc->off;

	if (access_reads(acc))
		TRY(check_map_mode(env, acc->ptr.map, false, off, acc->size));
	if (access_writes(acc))
		TRY(check_map_mode(env, acc->ptr.map, true, off, acc->size));
	return 0;
}

/* A plain load at a constant offset of a frozen map gives what is there. */
static void load_constant(struct access *acc)
{
	const struct image_map *map = acc->ptr.map;
	s64 at = (s64)acc->ptr.off + acc->off + (s64)acc->ptr.num.bits.value;
	u64 value = 0;

	if (acc->kind != ACC_READ || !map->frozen || !scalar_is_const(acc->ptr.num))
		return;
	if (map->data)
		memcpy(&value, (const u8 *)map->data + at, acc->size);
	acc->result = reg_const(value);
	if (acc->sign)
		acc->result = reg_num(scalar_sext(acc->result.num, acc->size));
	acc->result_set = true;
}

int access_map_value(struct env *env, struct access *acc)
{
	bool handled = false;

	TRY(check_not_null(env, acc->regno, &acc->ptr));
	TRY(check_region(env, acc, acc->ptr.map->value_size, false));
	TRY(check_modes(env, acc));
	TRY(access_slot(env, acc, &handled));
	if (handled)
		return 0;
	TRY(check_no_leak(env, acc, "map"));
	load_constant(acc);
	return 0;
}

int access_map_key(struct env *env, struct access *acc)
{
	TRY(check_not_null(env, acc->regno, &acc->ptr));
	if (access_writes(acc))
		return reject(env, RULE_MAP_KEY_WRITE, acc->regno);
	return check_region(env, acc, acc->ptr.map->key_size, false);
}

/* The kernel lets programs read the map itself, as the struct it is. */
int access_map(struct env *env, struct access *acc)
{
	const char *const *structs = env->abi->map_structs;
	u32 type = acc->ptr.map->type, id;
	const char *name = structs && type < NR_MAP_TYPES ? structs[type] : NULL;
	struct reg handle = acc->ptr;
	const struct btf *btf;
	int err;

	TRY(check_not_null(env, acc->regno, &acc->ptr));
	if (!name || !abi_find_struct(env->abi, name, &btf, &id))
		return reject(env, RULE_MEM_ACCESS, acc->regno,
			      reg_class_name(env, &acc->ptr));
	if ((s64)handle.off + acc->off < 0)
		return reject(env, RULE_BTF_NEG, acc->regno, name, (s64)handle.off + acc->off);
	if (access_writes(acc))
		return reject(env, RULE_MAP_HANDLE, name);
	acc->ptr = reg_btf(btf, id, 0);
	acc->ptr.off = handle.off;
	err = access_btf(env, acc);
	acc->ptr = handle;
	return err;
}
