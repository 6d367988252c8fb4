/* SPDX-License-Identifier: MIT
 *
 * btf_type.c: questions about one record. No checks: btf_check() made them at opening.
 */
#include "btf/btf_impl.h"

const char *btf_name(const struct btf *btf)
{
	return btf->name;
}

const struct btf *btf_base(const struct btf *btf)
{
	return btf->base;
}

u32 btf_start(const struct btf *btf)
{
	return btf->start;
}

u32 btf_end(const struct btf *btf)
{
	return btf->end;
}

const struct btf_type *btf_type(const struct btf *btf, u32 id)
{
	BUG_ON(id >= btf->end && id);
	return btf_rec(btf, id);
}

const char *btf_str(const struct btf *btf, u32 off)
{
	const char *s = btf_str_checked(btf, off);

	return s ? s : "";
}

const char *btf_type_name(const struct btf *btf, u32 id)
{
	return btf_str(btf, btf_type(btf, id)->name_off);
}

const struct btf_member *btf_members(const struct btf_type *t)
{
	return (const void *)(t + 1);
}

const struct btf_array_info *btf_array(const struct btf_type *t)
{
	return (const void *)(t + 1);
}

const struct btf_param *btf_params(const struct btf_type *t)
{
	return (const void *)(t + 1);
}

const struct btf_enumerator *btf_enumerators(const struct btf_type *t)
{
	return (const void *)(t + 1);
}

const struct btf_enumerator64 *btf_enumerators64(const struct btf_type *t)
{
	return (const void *)(t + 1);
}

const struct btf_secinfo *btf_secinfos(const struct btf_type *t)
{
	return (const void *)(t + 1);
}

s32 btf_decl_tag_index(const struct btf_type *t)
{
	return *(const s32 *)(t + 1);
}

u32 btf_var_linkage(const struct btf_type *t)
{
	return *(const u32 *)(t + 1);
}

u32 btf_func_linkage(const struct btf_type *t)
{
	return btf_vlen(t);
}

u32 btf_member_bit(const struct btf_type *t, const struct btf_member *m)
{
	return btf_kflag(t) ? m->offset & 0xffffff : m->offset;
}

u32 btf_member_bits(const struct btf_type *t, const struct btf_member *m)
{
	return btf_kflag(t) ? m->offset >> 24 : 0;
}

static u32 int_data(const struct btf_type *t)
{
	return *(const u32 *)(t + 1);
}

u32 btf_int_bits(const struct btf_type *t)
{
	return int_data(t) & 0xff;
}

bool btf_int_signed(const struct btf_type *t)
{
	return int_data(t) >> 24 & 1;
}

bool btf_int_bool(const struct btf_type *t)
{
	return int_data(t) >> 26 & 1;
}

enum {
	QUALS = BIT(BTF_CONST) | BIT(BTF_VOLATILE) | BIT(BTF_RESTRICT) | BIT(BTF_TYPE_TAG),
	MODS = QUALS | BIT(BTF_TYPEDEF),
};

static u32 skip(const struct btf *btf, u32 id, u32 kinds)
{
	const struct btf_type *t = btf_rec(btf, id);

	for (; BIT(btf_kind(t)) & kinds; t = btf_rec(btf, id))
		id = t->type;
	return id;
}

u32 btf_skip_mods(const struct btf *btf, u32 id)
{
	return skip(btf, id, MODS);
}

u32 btf_skip_quals(const struct btf *btf, u32 id)
{
	return skip(btf, id, QUALS);
}

enum {
	POINTER_SIZE = 8,
	HAS_SIZE = BIT(BTF_INT) | BIT(BTF_STRUCT) | BIT(BTF_UNION) | BIT(BTF_ENUM) |
		   BIT(BTF_ENUM64) | BIT(BTF_FLOAT) | BIT(BTF_DATASEC),
};

bool btf_size(const struct btf *btf, u32 id, u32 *size)
{
	u64 n = 1;

	*size = 0;
	for (;;) {
		const struct btf_type *t = btf_type(btf, id = btf_skip_mods(btf, id));

		if (btf_kind(t) == BTF_ARRAY) {
			n *= btf_array(t)->nelems;
			id = btf_array(t)->type;
		} else if (btf_kind(t) == BTF_VAR) {
			id = t->type;
		} else if (btf_kind(t) == BTF_PTR || BIT(btf_kind(t)) & HAS_SIZE) {
			n *= btf_kind(t) == BTF_PTR ? POINTER_SIZE : t->size;
			break;
		} else {
			return false;
		}
		if (n > UINT32_MAX)
			return false;
	}
	if (n > UINT32_MAX)
		return false;
	*size = (u32)n;
	return true;
}

u32 btf_pointee(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type(btf, btf_skip_mods(btf, id));

	return btf_kind(t) == BTF_PTR ? btf_skip_mods(btf, t->type) : 0;
}

bool btf_ptr_has_tag(const struct btf *btf, u32 ptr_id, const char *tag)
{
	const struct btf_type *t = btf_type(btf, btf_skip_mods(btf, ptr_id));

	if (btf_kind(t) != BTF_PTR)
		return false;
	for (t = btf_type(btf, t->type); BIT(btf_kind(t)) & QUALS; t = btf_type(btf, t->type))
		if (btf_kind(t) == BTF_TYPE_TAG && !strcmp(btf_str(btf, t->name_off), tag))
			return true;
	return false;
}

u32 btf_flat_array(const struct btf *btf, u32 id, u64 *n)
{
	const struct btf_type *t = btf_type(btf, id);

	for (*n = 1; btf_kind(t) == BTF_ARRAY; t = btf_type(btf, id)) {
		*n *= btf_array(t)->nelems;
		id = btf_skip_mods(btf, btf_array(t)->type);
	}
	return id;
}
