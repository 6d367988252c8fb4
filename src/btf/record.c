/* SPDX-License-Identifier: MIT
 *
 * record.c: the special fields of a type (rule book, section A): how a type is walked,
 * where a field may stand, and the finished table.
 *
 * Kernels silently take some mistaken declarations for plain bytes (A26, A27). Here each
 * is refused with the member's path and a reason, unless opts->lenient asks for what
 * kernels do.
 *
 * A walk costs no more than the fields it finds: types known to hold none are not entered
 * again, and an array's first element is walked before its others.
 */
#include "btf/record_impl.h"

#include "base/arena.h"
#include "base/log.h"

#include <stdarg.h>

enum { MAX_FIELDS = 64, MAX_LEVELS = 32 };

/* Structs that are special by their name. Kernels know more of them than we do. */
static const struct special {
	const char *name;
	enum field_kind kind; /* NR_FIELD_KINDS: not supported */
	u8 size, align;
	bool single;	 /* at most one in a record (A22) */
	bool may_repeat; /* in arrays (A19) */
} specials[] = {
	{"bpf_spin_lock",     FIELD_LOCK,       4, 4, .single = true},
	{"bpf_timer",         FIELD_TIMER,     16, 8, .single = true},
	{"bpf_wq",            FIELD_WQ,        16, 8, .single = true},
	{"bpf_refcount",      FIELD_REFCOUNT,   4, 4, .single = true},
	{"pintle_seq",        FIELD_SEQ,        8, 8, .single = true},
	{"bpf_list_head",     FIELD_LIST_HEAD, 16, 8, .may_repeat = true},
	{"bpf_list_node",     FIELD_LIST_NODE, 24, 8},
	{"bpf_rb_root",       FIELD_RB_ROOT,   16, 8, .may_repeat = true},
	{"bpf_rb_node",       FIELD_RB_NODE,   32, 8},
	{"bpf_res_spin_lock", NR_FIELD_KINDS},
	{"bpf_task_work",     NR_FIELD_KINDS},
};

static const char *const kind_names[NR_FIELD_KINDS] = {
	[FIELD_UNREF] = "kptr_untrusted", [FIELD_REF] = "kptr", [FIELD_PERCPU] = "percpu_kptr",
	[FIELD_USER] = "kptr_user",	  [FIELD_UPTR] = "uptr",
	[FIELD_LOCK] = "bpf_spin_lock",	  [FIELD_TIMER] = "bpf_timer",
	[FIELD_WQ] = "bpf_wq",		  [FIELD_LIST_HEAD] = "bpf_list_head",
	[FIELD_LIST_NODE] = "bpf_list_node", [FIELD_RB_ROOT] = "bpf_rb_root",
	[FIELD_RB_NODE] = "bpf_rb_node",  [FIELD_REFCOUNT] = "bpf_refcount",
	[FIELD_SEQ] = "pintle_seq",
};

const char *field_kind_name(enum field_kind kind)
{
	return kind_names[kind];
}

/* --- words --- */

const char *rec_path(struct arena *arena, const struct rec_place *place)
{
	const char *path = "";

	for (; place && path; place = place->up) {
		const char *dot = *path && *path != '[' ? "." : "";

		if (!place->name)
			path = arena_printf(arena, "[%u]%s%s", place->index, dot, path);
		else if (*place->name)
			path = arena_printf(arena, "%s%s%s", place->name, dot, path);
	}
	return path;
}

static int fail(struct rec_walk *w, const struct rec_place *place, const char *tag, int err,
		const char *code, const char *fmt, va_list args)
{
	const char *path = rec_path(w->s->arena, place);
	char text[300];

	vsnprintf(text, sizeof(text), fmt, args);
	return log_fail(w->s->log, err, "%s: %s: %s: %s (%s)", w->s->what, path ? path : "?",
			tag, text, code);
}

int rec_fail(struct rec_walk *w, const struct rec_place *place, const char *tag, int err,
	     const char *code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err = fail(w, place, tag, err, code, fmt, args);
	va_end(args);
	return err;
}

int rec_refuse(struct rec_walk *w, const struct rec_place *place, const char *tag, int err,
	       const char *code, const char *fmt, ...)
{
	va_list args;

	if (w->s->opts->lenient)
		return 0;
	va_start(args, fmt);
	err = fail(w, place, tag, err, code, fmt, args);
	va_end(args);
	return err;
}

/* --- where a field may stand --- */

/* A15, A19, A20. */
static const char *misplaced(const struct rec_place *place)
{
	if (place->bare)
		return "the value itself cannot be a slot; put it into a struct";
	if (place->in_union)
		return "members of unions cannot be special fields";
	if (place->in_flexible)
		return "an array without a length cannot hold special fields";
	return NULL;
}

/* A21 */
static int check_number(struct rec_walk *w, const struct rec_place *place, const char *tag)
{
	u32 max = w->s->opts->max_fields ? w->s->opts->max_fields : MAX_FIELDS;

	if (w->fields.n < max)
		return 0;
	return rec_fail(w, place, tag, -E2BIG, "D_MANY", "more than %u special fields", max);
}

int rec_add(struct rec_walk *w, const struct rec_place *place, const char *tag, u32 align,
	    struct field f)
{
	const char *why = misplaced(place);

	w->found++;
	if (why)
		return rec_refuse(w, place, tag, -EINVAL, "D_PLACE", "%s", why);
	if (place->level > MAX_LEVELS) /* A18 */
		return rec_fail(w, place, tag, -E2BIG, "D_MANY",
				"nested more than %u structs deep", MAX_LEVELS);
	if (place->rel % align && w->s->opts->lenient) /* A16 */
		return 0;
	if (place->off % align) /* A17 */
		return rec_fail(w, place, tag, -EFAULT, "D_ALIGN",
				"offset %u is not a multiple of %u", place->off, align);
	TRY(check_number(w, place, tag));
	f.off = place->off;
	f.path = rec_path(w->s->arena, place);
	return f.path && vec_push(&w->fields, f) ? 0 : -ENOMEM;
}

/* --- the walk --- */

static int walk_type(struct rec_walk *w, u32 type, const struct rec_place *place);

static const struct special *special_named(const char *name)
{
	if (strncmp(name, "bpf_", 4) && strncmp(name, "pintle_", 7))
		return NULL;
	for (u32 i = 0; i < ARRAY_SIZE(specials); i++)
		if (!strcmp(specials[i].name, name))
			return &specials[i];
	return NULL;
}

static int walk_special(struct rec_walk *w, const struct special *sp, u32 size,
			const struct rec_place *place)
{
	struct field f = {.kind = sp->kind, .size = sp->size};

	if (sp->kind == NR_FIELD_KINDS)
		return rec_fail(w, place, sp->name, -EOPNOTSUPP, "D_PLACE", "not supported");
	if (size != sp->size)
		return rec_fail(w, place, sp->name, -EINVAL, "D_PLACE",
				"%u bytes in this program, where %u are wanted", size,
				sp->size);
	if (place->repeated && !sp->may_repeat)
		return rec_fail(w, place, sp->name, sp->single ? -E2BIG : -EINVAL,
				"D_OVERLAP", "cannot be an array's element");
	if (sp->kind == FIELD_LIST_HEAD || sp->kind == FIELD_RB_ROOT)
		TRY(rec_root(w, place, sp->name, &f));
	for (u32 i = 0; sp->single && i < w->fields.n; i++) /* A22 */
		if (w->fields.v[i].kind == sp->kind)
			return rec_fail(w, place, sp->name, -E2BIG, "D_OVERLAP",
					"the second one: %s is the first",
					w->fields.v[i].path);
	return rec_add(w, place, sp->name, sp->align, f);
}

static int walk_struct(struct rec_walk *w, u32 id, const struct rec_place *place)
{
	const struct btf *btf = w->s->btf;
	const struct btf_type *t = btf_type(btf, id);
	const struct btf_member *m = btf_members(t);
	u32 before = w->found;

	if (w->s->plain[id])
		return 0;
	for (u32 i = 0; i < btf_vlen(t); i++) {
		u32 rel = btf_member_bit(t, &m[i]) / 8;
		struct rec_place inner = *place;

		if (btf_member_bits(t, &m[i]))
			continue;
		inner.up = place;
		inner.name = btf_str(btf, m[i].name_off);
		inner.off += rel;
		inner.rel = rel;
		inner.level++;
		inner.in_union |= btf_kind(t) == BTF_UNION;
		inner.owner = id;
		inner.component = (s32)i;
		TRY(walk_type(w, m[i].type, &inner));
	}
	w->s->plain[id] = w->found == before;
	return 0;
}

/* A19: every element is a field of its own. Where none of the first eight could be one,
 * their alignment repeats, and so no other can. */
static int walk_array(struct rec_walk *w, u32 id, const struct rec_place *place)
{
	const struct btf_array_info *a = btf_array(btf_type(w->s->btf, id));
	u32 n = max_u32(a->nelems, 1), before = w->found, fields = w->fields.n, size;

	btf_size(w->s->btf, a->type, &size);
	for (u32 i = 0; i < n; i++) {
		struct rec_place inner = *place;

		inner.up = place;
		inner.name = NULL;
		inner.index = i;
		inner.off += i * size;
		inner.rel += i * size;
		inner.in_flexible |= !a->nelems;
		inner.repeated |= n > 1;
		TRY(walk_type(w, a->type, &inner));
		if (w->found == before || (i == 7 && w->fields.n == fields))
			break;
	}
	return 0;
}

static int walk_type(struct rec_walk *w, u32 type, const struct rec_place *place)
{
	u32 id = btf_skip_mods(w->s->btf, type);
	const struct btf_type *t = btf_type(w->s->btf, id);
	const struct special *sp = NULL;

	if (btf_kind(t) == BTF_STRUCT)
		sp = special_named(btf_type_name(w->s->btf, id));
	if (sp && !(sp->kind < NR_FIELD_KINDS && w->s->opts->kinds_off & BIT(sp->kind)))
		return w->found++, walk_special(w, sp, t->size, place);
	if (w->s->opts->nest_519 && place->level && btf_kind(t) != BTF_PTR)
		return 0;
	if (btf_is_composite(t))
		return walk_struct(w, id, place);
	if (btf_kind(t) == BTF_ARRAY)
		return walk_array(w, id, place);
	if (btf_kind(t) == BTF_PTR)
		return rec_slot(w, type, place);
	return 0;
}

/* A24: each variable of a data section. */
static int walk_section(struct rec_walk *w, const struct btf_type *t)
{
	const struct btf_secinfo *s = btf_secinfos(t);

	for (u32 i = 0; i < btf_vlen(t); i++) {
		const struct btf_type *var = btf_type(w->s->btf, s[i].type);
		struct rec_place place = {
			.name = btf_str(w->s->btf, var->name_off), .off = s[i].offset,
			.rel = s[i].offset, .owner = s[i].type, .component = -1,
		};

		if (btf_kind(var) == BTF_VAR && btf_var_linkage(var) != BTF_EXTERN)
			TRY(walk_type(w, var->type, &place));
	}
	return 0;
}

/* A15: only structs and sections are walked; a value that is itself a slot is refused. */
static int walk_value(struct rec_walk *w, u32 type)
{
	u32 id = btf_skip_mods(w->s->btf, type);
	const struct btf_type *t = btf_type(w->s->btf, id);
	const char *name = btf_type_name(w->s->btf, id);
	struct rec_place place = {.name = *name ? name : "value", .owner = id, .component = -1};

	if (btf_kind(t) == BTF_DATASEC)
		return walk_section(w, t);
	place.bare = !btf_is_composite(t);
	return walk_type(w, type, &place);
}

static int by_offset(const void *a, const void *b)
{
	const struct field *x = a, *y = b;

	return x->off < y->off ? -1 : x->off > y->off;
}

/* A22; overlapping is possible only in BTF that no compiler wrote. */
static int check_overlap(struct rec_walk *w)
{
	for (u32 i = 1; i < w->fields.n; i++) {
		struct field *f = &w->fields.v[i];
		struct rec_place place = {.name = f->path};

		if (f[-1].off + f[-1].size > f->off)
			return rec_fail(w, &place, field_kind_name(f->kind), -EEXIST,
					"D_OVERLAP", "overlaps %s", f[-1].path);
	}
	return 0;
}

int rec_collect(struct rec_walk *w, u32 type)
{
	TRY(walk_value(w, type));
	if (w->fields.n)
		qsort(w->fields.v, w->fields.n, sizeof(w->fields.v[0]), by_offset);
	return check_overlap(w);
}

/* --- the table --- */

static int finish(struct rec_walk *w, struct record **out)
{
	size_t bytes = w->fields.n * sizeof(struct field);
	struct record *rec;

	if (!w->fields.n)
		return 0;
	rec = arena_alloc(w->s->arena, sizeof(*rec) + bytes);
	if (!rec)
		return -ENOMEM;
	rec->n = w->fields.n;
	memcpy(rec->fields, w->fields.v, bytes);
	*out = rec;
	return 0;
}

static int parse(struct rec_walk *w, u32 type, struct record **out)
{
	struct rec_session *s = w->s;

	s->plain = arena_alloc(s->arena, btf_end(s->btf));
	if (!s->plain)
		return -ENOMEM;
	TRY(rec_collect(w, type));
	if (s->opts->strict_tags && w->foreign_tag && w->fields.n) /* I9 */
		return log_fail(s->log, -EINVAL, "%s: %s: a pointer beside it has a tag that is "
				"no pointer field's (D_TAG)", s->what, w->fields.v[0].path);
	TRY(rec_check_graph(w, type));
	return finish(w, out);
}

/* H6: an exchange must find the version of its field. */
static void note_seq(struct record *rec)
{
	const struct field *seq = NULL;

	for (u32 i = 0; i < rec->n; i++)
		if (rec->fields[i].kind == FIELD_SEQ)
			seq = &rec->fields[i];
	for (u32 i = 0; seq && i < rec->n; i++)
		if (rec->fields[i].kind <= FIELD_UPTR)
			rec->fields[i].seq = (s32)seq->off - (s32)rec->fields[i].off;
}

int record_parse(struct arena *arena, struct log *log, const char *what,
		 const struct btf *btf, u32 type, const struct record_opts *opts,
		 struct record **out)
{
	struct rec_session s = {
		.arena = arena, .log = log, .what = what, .btf = btf, .opts = opts,
	};
	struct rec_walk w = {.s = &s};
	int err;

	*out = NULL;
	err = parse(&w, type, out);
	vec_free(&w.fields);
	if (*out)
		note_seq(*out);
	return err == -ENOMEM ? log_fail(log, err, "%s: out of memory", what) : err;
}

const struct field *record_at(const struct record *rec, u32 off)
{
	const struct field *f = record_overlap(rec, off, 1);

	return f && f->off == off ? f : NULL;
}

const struct field *record_overlap(const struct record *rec, u32 off, u32 size)
{
	for (u32 i = 0; rec && i < rec->n; i++) {
		const struct field *f = &rec->fields[i];

		if (f->off < (u64)off + size && off < f->off + f->size)
			return f;
	}
	return NULL;
}

/* A31, A32: types of the host are the same in every program; local ones only within
 * their own object. */
static bool field_equal(const struct field *a, const struct field *b)
{
	if (a->kind != b->kind || a->off != b->off || a->size != b->size ||
	    a->local != b->local || a->node_off != b->node_off || !a->btf != !b->btf)
		return false;
	return !a->btf || btf_same_type(a->btf, a->type, b->btf, b->type);
}

bool record_equal(const struct record *a, const struct record *b)
{
	if (!a || !b)
		return a == b;
	for (u32 i = 0; i < a->n && a->n == b->n; i++)
		if (!field_equal(&a->fields[i], &b->fields[i]))
			return false;
	return a->n == b->n;
}
