/* SPDX-License-Identifier: MIT
 *
 * btf_core_match.c: when a type of the program and one of the host count as the same for
 * CO-RE. Three relations, from loose to strict:
 *
 *  - core_fields_fit(): a path may go through them, or end there;
 *  - core_types_fit(): the type exists: same kind, pointers and prototypes followed, and
 *    nothing said about what is in it;
 *  - core_types_match(): all that the program's version has, the host's has too.
 *
 * Modifiers and typedefs never count, and flavours are cut off names. The budget is for
 * types made to take exponential time.
 */
#include "btf/btf_core_impl.h"

struct pair {
	const struct btf *a, *b;
	u32 budget;
};

static bool is_enum(const struct btf_type *t)
{
	return btf_kind(t) == BTF_ENUM || btf_kind(t) == BTF_ENUM64;
}

bool core_kinds_fit(const struct btf_type *x, const struct btf_type *y)
{
	return btf_kind(x) == btf_kind(y) || (is_enum(x) && is_enum(y));
}

static bool same_name(const struct pair *p, u32 off_a, u32 off_b)
{
	const char *x = btf_str(p->a, off_a), *y = btf_str(p->b, off_b);
	size_t n = btf_essential_len(x);

	return n == btf_essential_len(y) && !strncmp(x, y, n);
}

static const struct btf_type *skip(const struct btf *btf, u32 *id)
{
	*id = btf_skip_mods(btf, *id);
	return btf_type(btf, *id);
}

static bool either_nameless(const struct btf_type *x, const struct btf_type *y)
{
	return !x->name_off || !y->name_off;
}

/* --- a path's steps --- */

bool core_fields_fit(const struct btf *a, u32 id_a, const struct btf *b, u32 id_b)
{
	struct pair p = {a, b, 0};
	u64 n;

	for (;;) {
		const struct btf_type *x = skip(a, &id_a), *y = skip(b, &id_b);

		if (btf_is_composite(x) && btf_is_composite(y))
			return true;
		if (!core_kinds_fit(x, y))
			return false;
		switch (btf_kind(x)) {
		case BTF_PTR:
		case BTF_INT:
		case BTF_FLOAT:
			return true;
		case BTF_ENUM:
		case BTF_ENUM64:
		case BTF_FWD:
			return either_nameless(x, y) || same_name(&p, x->name_off, y->name_off);
		case BTF_ARRAY:
			id_a = btf_flat_array(a, id_a, &n);
			id_b = btf_flat_array(b, id_b, &n);
			continue;
		default:
			return false;
		}
	}
}

/* --- both relations between whole types recurse alike --- */

static bool protos(struct pair *p, const struct btf_type *x, const struct btf_type *y,
		   bool (*rel)(struct pair *p, u32 a, u32 b))
{
	const struct btf_param *f = btf_params(x), *g = btf_params(y);

	if (btf_vlen(x) != btf_vlen(y))
		return false;
	for (u32 i = 0; i < btf_vlen(x); i++)
		if (!rel(p, f[i].type, g[i].type))
			return false;
	return rel(p, x->type, y->type);
}

static bool spend(struct pair *p)
{
	return p->budget && p->budget--;
}

/* --- existence --- */

static bool fit(struct pair *p, u32 a, u32 b)
{
	u64 n;

	for (;;) {
		const struct btf_type *x = skip(p->a, &a), *y = skip(p->b, &b);

		if (!spend(p) || !core_kinds_fit(x, y))
			return false;
		switch (btf_kind(x)) {
		case BTF_PTR:
			a = x->type;
			b = y->type;
			continue;
		case BTF_ARRAY:
			a = btf_flat_array(p->a, a, &n);
			b = btf_flat_array(p->b, b, &n);
			continue;
		case BTF_FUNC_PROTO:
			return protos(p, x, y, fit);
		default:
			return true;
		}
	}
}

bool core_types_fit(const struct btf *a, u32 id_a, const struct btf *b, u32 id_b)
{
	struct pair p = {a, b, CORE_BUDGET};

	return fit(&p, id_a, id_b);
}

/* --- matching --- */

static bool match(struct pair *p, u32 a, u32 b);

static u32 enumerator_name(const struct btf_type *t, u32 i)
{
	return btf_kind(t) == BTF_ENUM ? btf_enumerators(t)[i].name_off :
					 btf_enumerators64(t)[i].name_off;
}

static bool has_enumerator(struct pair *p, const struct btf_type *y, u32 name_off)
{
	for (u32 j = 0; j < btf_vlen(y) && spend(p); j++)
		if (same_name(p, name_off, enumerator_name(y, j)))
			return true;
	return false;
}

static bool match_enums(struct pair *p, const struct btf_type *x, const struct btf_type *y)
{
	if (x->size != y->size)
		return false;
	for (u32 i = 0; i < btf_vlen(x); i++)
		if (!has_enumerator(p, y, enumerator_name(x, i)))
			return false;
	return true;
}

static bool has_member(struct pair *p, const struct btf_type *y, const struct btf_member *m)
{
	const struct btf_member *q = btf_members(y);

	for (u32 j = 0; j < btf_vlen(y) && spend(p); j++)
		if (same_name(p, m->name_off, q[j].name_off) && match(p, m->type, q[j].type))
			return true;
	return false;
}

static bool match_composites(struct pair *p, const struct btf_type *x,
			     const struct btf_type *y)
{
	for (u32 i = 0; i < btf_vlen(x); i++)
		if (!has_member(p, y, &btf_members(x)[i]))
			return false;
	return true;
}

static bool is_struct_like(const struct btf_type *t)
{
	return btf_is_composite(t) || btf_kind(t) == BTF_FWD;
}

static bool is_union(const struct btf_type *t)
{
	return btf_kind(t) == BTF_UNION || (btf_kind(t) == BTF_FWD && btf_kflag(t));
}

/* Behind a pointer a struct is known by its name only, and may be just declared. */
static bool match_pointees(struct pair *p, u32 a, u32 b)
{
	const struct btf_type *x = skip(p->a, &a), *y = skip(p->b, &b);

	if (is_struct_like(x) && is_struct_like(y))
		return is_union(x) == is_union(y) && same_name(p, x->name_off, y->name_off);
	return match(p, a, b);
}

static bool match_ints(const struct btf_type *x, const struct btf_type *y)
{
	return x->size == y->size && btf_int_signed(x) == btf_int_signed(y);
}

static bool match_arrays(struct pair *p, u32 a, u32 b)
{
	u64 n_a, n_b;

	a = btf_flat_array(p->a, a, &n_a);
	b = btf_flat_array(p->b, b, &n_b);
	return n_a == n_b && match(p, a, b);
}

static bool match(struct pair *p, u32 a, u32 b)
{
	const struct btf_type *x = skip(p->a, &a), *y = skip(p->b, &b);

	if (!spend(p) || !core_kinds_fit(x, y))
		return false;
	switch (btf_kind(x)) {
	case BTF_VOID:
		return true;
	case BTF_INT:
		return match_ints(x, y);
	case BTF_FLOAT:
		return x->size == y->size;
	case BTF_PTR:
		return match_pointees(p, x->type, y->type);
	case BTF_ARRAY:
		return match_arrays(p, a, b);
	case BTF_FUNC_PROTO:
		return protos(p, x, y, match);
	case BTF_ENUM:
	case BTF_ENUM64:
		return same_name(p, x->name_off, y->name_off) && match_enums(p, x, y);
	case BTF_STRUCT:
	case BTF_UNION:
		return same_name(p, x->name_off, y->name_off) && match_composites(p, x, y);
	case BTF_FWD:
		return btf_kflag(x) == btf_kflag(y) && same_name(p, x->name_off, y->name_off);
	default:
		return false;
	}
}

bool core_types_match(const struct btf *a, u32 id_a, const struct btf *b, u32 id_b)
{
	struct pair p = {a, b, CORE_BUDGET};

	return match(&p, id_a, id_b);
}
