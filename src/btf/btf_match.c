/* SPDX-License-Identifier: MIT
 *
 * btf_match.c: whether two descriptions of a type agree.
 *
 *  - btf_layout_same(): byte for byte: a value made by one is a value of the other.
 *  - btf_layout_known(): every member that one names, the other has, of a kind that can
 *    stand for it, wherever it lies. That is what CO-RE asks of a program that was
 *    compiled against part of a struct, or against another version of it.
 *
 * Structs held by value are compared all the way down; pointers by the name of what they
 * point to. The budget is for types made to take exponential time.
 */
#include "btf/btf_impl.h"

#include "base/arena.h"

enum { MATCH_BUDGET = 1 << 18 };

struct match {
	const struct btf *a, *b;
	bool exact;
	u32 budget;
	struct arena *arena;
	const char **path;
};

/* The members on the way down, for the path. */
struct level {
	const struct level *up;
	const char *name;
};

static bool types_match(struct match *m, u32 a, u32 b, const struct level *up);

static bool differ(struct match *m, const struct level *at)
{
	const char *path = "";

	if (*m->path)
		return false;
	for (; at && path; at = at->up) {
		const char *dot = *path && *at->name ? "." : "";

		path = arena_printf(m->arena, "%s%s%s", at->name, dot, path);
	}
	*m->path = path;
	return false;
}

/* A forward declaration stands for the struct of its name. */
static enum btf_kind struct_kind(const struct btf_type *t)
{
	if (btf_kind(t) != BTF_FWD)
		return btf_kind(t);
	return btf_kflag(t) ? BTF_UNION : BTF_STRUCT;
}

static bool is_named(enum btf_kind kind)
{
	return kind == BTF_STRUCT || kind == BTF_UNION || kind == BTF_ENUM ||
	       kind == BTF_ENUM64;
}

static bool names_match(struct match *m, u32 a, u32 b)
{
	const char *x = btf_type_name(m->a, a), *y = btf_type_name(m->b, b);
	size_t n = btf_essential_len(x);

	return n == btf_essential_len(y) && !strncmp(x, y, n);
}

static bool pointees_match(struct match *m, u32 ptr_a, u32 ptr_b)
{
	u32 a = btf_skip_mods(m->a, ptr_a), b = btf_skip_mods(m->b, ptr_b);
	const struct btf_type *x = btf_type(m->a, a), *y = btf_type(m->b, b);
	u32 size_x = 0, size_y = 0;

	if (!m->exact)
		return true;
	if (struct_kind(x) != struct_kind(y))
		return false;
	if (is_named(struct_kind(x)))
		return names_match(m, a, b);
	btf_size(m->a, a, &size_x);
	btf_size(m->b, b, &size_y);
	return size_x == size_y;
}

static bool is_enum(const struct btf_type *t)
{
	return btf_kind(t) == BTF_ENUM || btf_kind(t) == BTF_ENUM64;
}

static bool scalars_match(struct match *m, const struct btf_type *x, const struct btf_type *y)
{
	if (is_enum(x) && is_enum(y))
		return !m->exact || x->size == y->size;
	if (btf_kind(x) != btf_kind(y))
		return false;
	if (btf_kind(x) == BTF_INT && m->exact)
		return x->size == y->size && btf_int_signed(x) == btf_int_signed(y) &&
		       btf_int_bits(x) == btf_int_bits(y);
	if (btf_kind(x) == BTF_FLOAT && m->exact)
		return x->size == y->size;
	return true;
}

static bool members_match(struct match *m, u32 a, u32 b, const struct level *up)
{
	const struct btf_type *x = btf_type(m->a, a), *y = btf_type(m->b, b);
	const struct btf_member *p = btf_members(x), *q = btf_members(y);
	u32 n = btf_vlen(x);

	if (x->size != y->size)
		return differ(m, up);
	for (u32 i = 0; i < n; i++) {
		struct level at = {up, btf_str(m->a, p[i].name_off)};

		if (i >= btf_vlen(y) || strcmp(at.name, btf_str(m->b, q[i].name_off)) ||
		    btf_member_bit(x, &p[i]) != btf_member_bit(y, &q[i]) ||
		    btf_member_bits(x, &p[i]) != btf_member_bits(y, &q[i]))
			return differ(m, &at);
		if (!types_match(m, p[i].type, q[i].type, &at))
			return false;
	}
	return btf_vlen(y) == n || differ(m, up);
}

/* The type of member @name of struct @id of the other side, looked for in anonymous
 * members too; 0: none. Anonymous members nest as deep as structs do. */
static u32 find_member(struct match *m, u32 id, const char *name)
{
	const struct btf_type *t = btf_type(m->b, id);

	for (u32 i = 0; i < btf_vlen(t) && m->budget; i++, m->budget--) {
		const struct btf_member *q = &btf_members(t)[i];
		const char *have = btf_str(m->b, q->name_off);
		u32 inner = btf_skip_mods(m->b, q->type), found;

		if (*have && !strcmp(have, name))
			return q->type;
		if (*have || !btf_is_composite(btf_type(m->b, inner)))
			continue;
		found = find_member(m, inner, name);
		if (found)
			return found;
	}
	return 0;
}

static bool members_known(struct match *m, u32 a, u32 b, const struct level *up)
{
	const struct btf_type *x = btf_type(m->a, a);
	const struct btf_member *p = btf_members(x);

	for (u32 i = 0; i < btf_vlen(x); i++) {
		struct level at = {up, btf_str(m->a, p[i].name_off)};
		u32 inner = btf_skip_mods(m->a, p[i].type), found;

		if (!m->budget || !m->budget--)
			return differ(m, &at);
		if (!*at.name && btf_is_composite(btf_type(m->a, inner))) {
			if (!members_known(m, inner, b, up))
				return false;
			continue;
		}
		if (!*at.name)
			continue;
		found = find_member(m, b, at.name);
		if (!found)
			return differ(m, &at);
		if (!types_match(m, p[i].type, found, &at))
			return false;
	}
	return true;
}

static bool arrays_match(struct match *m, u32 a, u32 b, const struct level *up)
{
	u64 n_a, n_b;

	a = btf_flat_array(m->a, a, &n_a);
	b = btf_flat_array(m->b, b, &n_b);
	if (m->exact && n_a != n_b)
		return differ(m, up);
	return types_match(m, a, b, up);
}

static bool types_match(struct match *m, u32 a, u32 b, const struct level *up)
{
	const struct btf_type *x, *y;

	a = btf_skip_mods(m->a, a);
	b = btf_skip_mods(m->b, b);
	x = btf_type(m->a, a);
	y = btf_type(m->b, b);
	if (!m->budget || !m->budget--)
		return differ(m, up);
	if (btf_same_type(m->a, a, m->b, b))
		return true;
	if (btf_is_composite(x) && btf_kind(x) == btf_kind(y))
		return m->exact ? members_match(m, a, b, up) : members_known(m, a, b, up);
	if (btf_kind(x) == BTF_ARRAY && btf_kind(y) == BTF_ARRAY)
		return arrays_match(m, a, b, up);
	if (btf_kind(x) == BTF_PTR && btf_kind(y) == BTF_PTR)
		return pointees_match(m, x->type, y->type) || differ(m, up);
	return scalars_match(m, x, y) || differ(m, up);
}

static bool start(struct match *m, u32 id_a, u32 id_b)
{
	struct level top = {NULL, btf_type_name(m->a, btf_skip_mods(m->a, id_a))};

	*m->path = NULL;
	return types_match(m, id_a, id_b, &top);
}

bool btf_layout_same(struct arena *arena, const struct btf *a, u32 id_a,
		     const struct btf *b, u32 id_b, const char **path)
{
	struct match m = {a, b, true, MATCH_BUDGET, arena, path};

	return start(&m, id_a, id_b);
}

bool btf_layout_known(struct arena *arena, const struct btf *a, u32 id_a,
		      const struct btf *b, u32 id_b, const char **path)
{
	struct match m = {a, b, false, MATCH_BUDGET, arena, path};

	return start(&m, id_a, id_b);
}
