/* SPDX-License-Identifier: MIT
 *
 * btf_print.c: types as C. A declarator is built from the inside out: pointers go before
 * what is there already, arrays and parameters behind it, and parentheses come where a
 * pointer is followed by one of those.
 *
 * Types may refer to themselves through function prototypes, parameters fan out, and names
 * may be long, so the depth, the number of types and the memory it takes are bounded.
 */
#include "btf/btf_impl.h"

#include "base/arena.h"

enum { PRINT_DEPTH = 24, PRINT_TYPES = 20000, PRINT_BYTES = 1 << 22 };

struct print {
	struct arena *arena;
	const struct btf *btf;
	u32 left;     /* types still to print */
	size_t start; /* bytes of the arena before */
};

/* Enough was printed: what is missing is "...". */
static bool spent(const struct print *p)
{
	return !p->left || arena_bytes(p->arena) - p->start > PRINT_BYTES;
}

/* A text that grows in the arena; NULL once memory ran out. */
struct text {
	struct arena *arena;
	char *p;
	size_t len, cap;
};

static void text_add(struct text *t, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (!t->p || !s) {
		t->p = NULL;
		return;
	}
	if (t->len + n + 1 > t->cap) {
		char *bigger = arena_alloc(t->arena, (t->len + n + 1) * 2);

		if (bigger)
			memcpy(bigger, t->p, t->len);
		t->p = bigger;
		t->cap = (t->len + n + 1) * 2;
	}
	if (!t->p)
		return;
	memcpy(t->p + t->len, s, n + 1);
	t->len += n;
}

static struct text text_new(struct arena *arena)
{
	struct text t = {arena, arena_alloc(arena, 64), 0, 64};

	return t;
}

static const char *type_text(struct print *p, u32 id, const char *name, u32 depth, bool body,
			     u32 indent);

static bool is_identifier(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (*s != '_' && (*s < '0' || *s > '9') && ((*s | 32) < 'a' || (*s | 32) > 'z'))
			return false;
	return true;
}

/* " __kptr", or the attribute in full where the tag is no word. */
static const char *tag_text(struct print *p, const char *tag)
{
	if (is_identifier(tag))
		return arena_printf(p->arena, " __%s", tag);
	return arena_printf(p->arena, " __attribute__((btf_type_tag(\"%s\")))", tag);
}

static const char *const qual_names[NR_BTF_KINDS] = {
	[BTF_CONST] = "const", [BTF_VOLATILE] = "volatile", [BTF_RESTRICT] = "restrict",
};

/* Qualifiers and tags met on the way to the next real type: " const", " __kptr". */
struct quals {
	const char *words, *tags;
};

static const struct quals no_quals = {"", ""};

static bool add_qual(struct print *p, const struct btf_type *t, struct quals *q)
{
	const char *word = qual_names[btf_kind(t)];

	if (btf_kind(t) == BTF_TYPE_TAG)
		q->tags = arena_printf(p->arena, "%s%s", q->tags,
				       tag_text(p, btf_str(p->btf, t->name_off)));
	else
		q->words = arena_printf(p->arena, "%s %s", q->words, word);
	return q->tags && q->words;
}

/* The first type from @id on that is no qualifier; false when out of memory. */
static bool take_quals(struct print *p, u32 *id, struct quals *q)
{
	const struct btf_type *t = btf_type(p->btf, *id);

	for (; !spent(p) && (btf_kind(t) == BTF_TYPE_TAG || qual_names[btf_kind(t)]);
	     t = btf_type(p->btf, *id)) {
		if (!add_qual(p, t, q))
			return false;
		*id = t->type;
	}
	return true;
}

static const char *params_text(struct print *p, const struct btf_type *t, u32 depth)
{
	const struct btf_param *param = btf_params(t);
	struct text out = text_new(p->arena);

	text_add(&out, "(");
	for (u32 i = 0; i < btf_vlen(t) && out.p && !spent(p); i++) {
		const char *name = btf_str(p->btf, param[i].name_off);

		text_add(&out, i ? ", " : "");
		text_add(&out, param[i].type ? type_text(p, param[i].type, name, depth + 1,
							 false, 0) :
					       "...");
	}
	text_add(&out, btf_vlen(t) ? ")" : "void)");
	return out.p;
}

static void indent_by(struct text *out, u32 n)
{
	while (n--)
		text_add(out, "\t");
}

static const char *members_text(struct print *p, const struct btf_type *t, u32 depth,
				u32 indent)
{
	const struct btf_member *m = btf_members(t);
	struct text out = text_new(p->arena);

	text_add(&out, "{\n");
	for (u32 i = 0; i < btf_vlen(t) && out.p && !spent(p); i++) {
		u32 bits = btf_member_bits(t, &m[i]);

		indent_by(&out, indent + 1);
		text_add(&out, type_text(p, m[i].type, btf_str(p->btf, m[i].name_off),
					 depth + 1, false, indent + 1));
		if (bits)
			text_add(&out, arena_printf(p->arena, ":%u", bits));
		text_add(&out, ";\n");
	}
	indent_by(&out, indent);
	text_add(&out, "}");
	return out.p;
}

static const char *enumerators_text(struct print *p, const struct btf_type *t, u32 indent)
{
	struct text out = text_new(p->arena);
	bool wide = btf_kind(t) == BTF_ENUM64;

	text_add(&out, "{\n");
	for (u32 i = 0; i < btf_vlen(t) && out.p && !spent(p); i++) {
		const struct btf_enumerator64 *e64 = &btf_enumerators64(t)[wide ? i : 0];
		const struct btf_enumerator *e = &btf_enumerators(t)[wide ? 0 : i];
		u64 v = wide ? (u64)e64->hi << 32 | e64->lo :
			btf_kflag(t) ? (u64)(s64)e->val : (u32)e->val;

		indent_by(&out, indent + 1);
		text_add(&out, btf_str(p->btf, wide ? e64->name_off : e->name_off));
		text_add(&out, btf_kflag(t) ?
			arena_printf(p->arena, " = %lld,\n", (long long)v) :
			arena_printf(p->arena, " = %llu,\n", (unsigned long long)v));
	}
	indent_by(&out, indent);
	text_add(&out, "}");
	return out.p;
}

static const char *const keywords[NR_BTF_KINDS] = {
	[BTF_STRUCT] = "struct", [BTF_UNION] = "union", [BTF_ENUM] = "enum",
	[BTF_ENUM64] = "enum",
};

/* "struct conn", "int", "union { ... }": a type that is no declarator's part. */
static const char *base_text(struct print *p, u32 id, u32 depth, bool body, u32 indent)
{
	const struct btf_type *t = btf_type(p->btf, id);
	const char *name = btf_str(p->btf, t->name_off), *inside;
	const char *word = btf_kind(t) == BTF_FWD ? btf_kflag(t) ? "union" : "struct" :
			   keywords[btf_kind(t)];

	if (!id)
		return "void";
	if (!word) /* a pointer and such when printing ended before its turn came */
		return *name ? name : "...";
	if (*name && !body)
		return arena_printf(p->arena, "%s %s", word, name);
	if (btf_kind(t) == BTF_FWD || depth >= PRINT_DEPTH)
		inside = "{...}";
	else if (btf_is_composite(t))
		inside = body || indent ? members_text(p, t, depth, indent) : "{...}";
	else
		inside = body || indent ? enumerators_text(p, t, indent) : "{...}";
	return inside ? arena_printf(p->arena, "%s %s%s%s", word, name, *name ? " " : "",
				     inside) : NULL;
}

static bool needs_parens(const struct btf *btf, u32 pointee)
{
	enum btf_kind kind = btf_kind(btf_type(btf, btf_skip_quals(btf, pointee)));

	return kind == BTF_ARRAY || kind == BTF_FUNC_PROTO;
}

/* "*const " before what is there. */
static const char *pointer_text(struct print *p, u32 pointee, struct quals q,
				const char *inner)
{
	const char *quals = arena_printf(p->arena, "%s%s", q.tags, q.words);
	bool parens = needs_parens(p->btf, pointee);

	if (!quals)
		return NULL;
	return arena_printf(p->arena, "%s*%s%s%s%s", parens ? "(" : "",
			    *quals ? quals + 1 : "", *quals && *inner ? " " : "", inner,
			    parens ? ")" : "");
}

static const char *array_text(struct print *p, u32 nelems, const char *inner)
{
	return nelems ? arena_printf(p->arena, "%s[%u]", inner, nelems) :
			arena_printf(p->arena, "%s[]", inner);
}

static const char *function_text(struct print *p, const struct btf_type *t,
				 const char *inner, u32 depth)
{
	const char *params = params_text(p, t, depth);

	return params ? arena_printf(p->arena, "%s%s", inner, params) : NULL;
}

/* Wraps pointers, arrays and parameters around *inner until a type without them, whose
 * id is left in *id and its qualifiers in *q. Qualifiers of an array are its elements'. */
static bool declarator(struct print *p, u32 *id, struct quals *q, const char **inner,
		       u32 depth)
{
	for (;;) {
		const struct btf_type *t;

		if (!*inner || !take_quals(p, id, q))
			return false;
		if (spent(p))
			return true;
		p->left--;
		t = btf_type(p->btf, *id);
		if (btf_kind(t) == BTF_ARRAY) {
			*inner = array_text(p, btf_array(t)->nelems, *inner);
			*id = btf_array(t)->type;
			continue;
		}
		if (btf_kind(t) == BTF_PTR)
			*inner = pointer_text(p, t->type, *q, *inner);
		else if (btf_kind(t) == BTF_FUNC_PROTO)
			*inner = function_text(p, t, *inner, depth);
		else
			return true;
		*q = no_quals;
		*id = t->type;
	}
}

static const char *type_text(struct print *p, u32 id, const char *name, u32 depth, bool body,
			     u32 indent)
{
	struct quals q = no_quals;
	const char *base;

	if (depth > PRINT_DEPTH || spent(p))
		return "...";
	if (!declarator(p, &id, &q, &name, depth))
		return NULL;
	base = base_text(p, id, depth, body, indent);
	if (!base)
		return NULL;
	return arena_printf(p->arena, "%s%s%s%s%s%s", *q.words ? q.words + 1 : "",
			    *q.words ? " " : "", base, q.tags, *name ? " " : "", name);
}

const char *btf_decl(struct arena *arena, const struct btf *btf, u32 id, const char *name,
		     bool deep)
{
	struct print p = {arena, btf, PRINT_TYPES, arena_bytes(arena)};
	const struct btf_type *t = btf_type(btf, id);

	if (btf_kind(t) == BTF_DATASEC || btf_kind(t) == BTF_DECL_TAG)
		return arena_strdup(arena, btf_type_name(btf, id));
	if (btf_kind(t) == BTF_FUNC || btf_kind(t) == BTF_VAR) {
		if (!*name)
			name = btf_type_name(btf, id);
		id = t->type;
	}
	return type_text(&p, id, name, 0, deep, 0);
}
