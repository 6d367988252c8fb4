/* SPDX-License-Identifier: MIT
 *
 * record_graph.c: fields that own objects (list heads, tree roots, slots of local types)
 * or let an object be owned (nodes): what they declare, and that ownership ends (rule
 * book A35, A36). Destruction follows ownership, so its depth is bounded here.
 */
#include "btf/record_impl.h"

#include "base/arena.h"
#include "base/log.h"

/* Objects owned one by the other (I36). */
static u32 max_owned(const struct rec_session *s)
{
	return s->opts->own_depth ? s->opts->own_depth : 8;
}

/* What is known of a local struct whose record was read. */
struct rec_owner {
	bool known, has_root, has_node;
	u8 levels; /* of objects below it */
};

static bool is_root(const struct field *f)
{
	return f->kind == FIELD_LIST_HEAD || f->kind == FIELD_RB_ROOT;
}

static bool is_node(const struct field *f)
{
	return f->kind == FIELD_LIST_NODE || f->kind == FIELD_RB_NODE;
}

static bool has(const struct rec_walk *w, bool (*is)(const struct field *f))
{
	for (u32 i = 0; i < w->fields.n; i++)
		if (is(&w->fields.v[i]))
			return true;
	return false;
}

static bool has_kind(const struct rec_walk *w, enum field_kind kind)
{
	for (u32 i = 0; i < w->fields.n; i++)
		if (w->fields.v[i].kind == kind)
			return true;
	return false;
}

/* --- A35: "contains:<struct>:<member>" --- */

/* The offset of the node named @name in struct @t of type struct @want. */
static bool find_node(const struct btf *btf, const struct btf_type *t, const char *name,
		      const char *want, u32 *off)
{
	const struct btf_member *m = btf_members(t);

	for (u32 i = 0; i < btf_vlen(t); i++) {
		u32 id = btf_skip_mods(btf, m[i].type);

		if (strcmp(btf_str(btf, m[i].name_off), name))
			continue;
		*off = btf_member_bit(t, &m[i]) / 8;
		return btf_kind(btf_type(btf, id)) == BTF_STRUCT &&
		       !strcmp(btf_type_name(btf, id), want);
	}
	return false;
}

static int find_element(struct rec_walk *w, const struct rec_place *place, const char *tag,
			const char *contains, struct field *f)
{
	const struct btf *btf = w->s->btf;
	const char *colon = strchr(contains, ':');
	const char *node = f->kind == FIELD_LIST_HEAD ? "bpf_list_node" : "bpf_rb_node";
	char *name;

	if (!colon)
		return rec_fail(w, place, tag, -EINVAL, "D_TAG",
				"'contains:%s' wants the form contains:<struct>:<member>",
				contains);
	name = arena_strndup(w->s->arena, contains, (size_t)(colon - contains));
	if (!name)
		return -ENOMEM;
	f->btf = btf;
	f->local = true;
	f->type = btf_find(btf, name, BTF_STRUCT);
	if (!f->type)
		return rec_fail(w, place, tag, -ENOENT, "D_POINTEE", "no struct %s", name);
	if (!find_node(btf, btf_type(btf, f->type), colon + 1, node, &f->node_off))
		return rec_fail(w, place, tag, -EINVAL, "D_POINTEE",
				"struct %s has no member '%s' of type struct %s", name,
				colon + 1, node);
	return 0;
}

int rec_root(struct rec_walk *w, const struct rec_place *place, const char *tag,
	     struct field *f)
{
	const char *contains;
	u32 count;

	contains = btf_decl_tag(w->s->btf, place->owner, place->component, "contains:",
				&count);
	if (!contains)
		return rec_fail(w, place, tag, -EINVAL, "D_TAG",
				"no __contains(struct, member) says what it holds");
	if (count > 1)
		return rec_fail(w, place, tag, -EEXIST, "D_TAG",
				"%u declarations say what it holds", count);
	return find_element(w, place, tag, contains, f);
}

/* --- A35: what must stand beside roots and nodes --- */

static int check_company(struct rec_walk *w)
{
	for (u32 i = 0; i < w->fields.n; i++) {
		const struct field *f = &w->fields.v[i];
		struct rec_place place = {.name = f->path};

		if (is_root(f) && !has_kind(w, FIELD_LOCK))
			return rec_fail(w, &place, field_kind_name(f->kind), -EINVAL, "D_LOCK",
					"no struct bpf_spin_lock beside it");
		if (f->kind == FIELD_LIST_NODE && has_kind(w, FIELD_RB_NODE) &&
		    !has_kind(w, FIELD_REFCOUNT))
			return rec_fail(w, &place, field_kind_name(f->kind), -EINVAL,
					"D_REFCNT", "beside a struct bpf_rb_node, but without "
					"struct bpf_refcount");
	}
	return 0;
}

/* --- A36 --- */

static int read_owner(struct rec_session *s, u32 type, u32 level, struct rec_owner *out);

/* Whether destroying the holder of @f destroys an object of f->type. Kernels bound only
 * the paths through roots. */
static bool owns(const struct rec_session *s, const struct field *f)
{
	if (is_root(f))
		return true;
	return f->local && (f->kind == FIELD_REF || f->kind == FIELD_PERCPU) &&
	       !s->opts->lenient;
}

static int check_owned(struct rec_walk *w, const struct field *f, bool has_node, u32 level,
		       struct rec_owner *out)
{
	struct rec_place place = {.name = f->path};
	struct rec_owner below;

	if (level >= max_owned(w->s))
		return rec_fail(w, &place, field_kind_name(f->kind), -ELOOP, "D_CYCLE",
				"objects own each other in a circle, or more than %u deep",
				max_owned(w->s));
	TRY(read_owner(w->s, f->type, level + 1, &below));
	if (is_root(f) && has_node && below.has_root)
		return rec_fail(w, &place, field_kind_name(f->kind), -ELOOP, "D_CYCLE",
				"what it holds holds others, and is held itself");
	if (level + 1 + below.levels > max_owned(w->s))
		return rec_fail(w, &place, field_kind_name(f->kind), -ELOOP, "D_CYCLE",
				"objects own each other more than %u deep",
				max_owned(w->s));
	out->levels = (u8)max_u32(out->levels, below.levels + 1);
	return 0;
}

static int check_fields(struct rec_walk *w, u32 level, struct rec_owner *out)
{
	out->has_root = has(w, is_root);
	out->has_node = has(w, is_node);
	TRY(check_company(w));
	for (u32 i = 0; i < w->fields.n; i++)
		if (owns(w->s, &w->fields.v[i]))
			TRY(check_owned(w, &w->fields.v[i], out->has_node, level, out));
	out->known = true;
	return 0;
}

/* What struct @type owns; read once, then remembered. */
static int read_owner(struct rec_session *s, u32 type, u32 level, struct rec_owner *out)
{
	struct rec_walk w = {.s = s};
	int err;

	*out = s->owners[type];
	if (out->known)
		return 0;
	err = rec_collect(&w, type);
	if (!err)
		err = check_fields(&w, level, out);
	vec_free(&w.fields);
	if (!err)
		s->owners[type] = *out;
	return err;
}

int rec_check_graph(struct rec_walk *w, u32 type)
{
	struct rec_owner top = {0};

	if (!w->fields.n)
		return 0;
	w->s->owners = arena_array(w->s->arena, btf_end(w->s->btf), sizeof(struct rec_owner));
	if (!w->s->owners)
		return -ENOMEM;
	return check_fields(w, 0, &top);
}
