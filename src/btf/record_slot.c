/* SPDX-License-Identifier: MIT
 *
 * record_slot.c: whether a pointer is a slot, of which kind, and what it may point to
 * (rule book A1-A14). The spellings of each era are one table; what comes close to one is
 * refused rather than taken for a plain pointer, because a slot that is no slot loses
 * references without a word.
 */
#include "btf/record_impl.h"

#include "base/log.h"

enum { MAX_TAGS = 8, UPTR_MAX = 4096, POINTER_SIZE = 8 };

#define MODERN BIT(TAGS_MODERN)
#define OLD BIT(TAGS_519)

/* A1, A2. The seed's strings are read by seed_kind(). */
static const struct tag_name {
	const char *name;
	u32 eras;
	enum field_kind kind;
	const char *hint; /* what to write, in an era that does not have it */
} tag_names[] = {
	{"kptr",           MODERN,       FIELD_REF,    "__kptr"},
	{"kptr_untrusted", MODERN,       FIELD_UNREF,  "__kptr in the 5.19 era"},
	{"percpu_kptr",    MODERN,       FIELD_PERCPU, "kptr_percpu"},
	{"uptr",           MODERN,       FIELD_UPTR,   "kptr_user"},
	{"kptr",           OLD,          FIELD_UNREF,  "__kptr"},
	{"kptr_ref",       OLD,          FIELD_REF,    "kptr, or load with the tags of 5.19"},
	{"kptr_percpu",    MODERN | OLD, FIELD_PERCPU, "kernel.bpf.percpu"},
	{"kptr_user",      MODERN | OLD, FIELD_USER,   "kernel.bpf.user"},
};

/* What stands between a member and its pointee. */
struct shape {
	const char *tags[MAX_TAGS]; /* between pointer and pointee */
	u32 ntags;		    /* may be more than fit */
	const char *outer_tag;	    /* on the pointer itself, or behind a typedef */
	u32 consts, typedefs, restricts, volatiles; /* between member and pointer */
	u32 pointee;		    /* the first id behind all modifiers */
};

static void take_outer(const struct btf *btf, const struct btf_type *t, struct shape *s)
{
	s->consts += btf_kind(t) == BTF_CONST;
	s->volatiles += btf_kind(t) == BTF_VOLATILE;
	s->restricts += btf_kind(t) == BTF_RESTRICT;
	s->typedefs += btf_kind(t) == BTF_TYPEDEF;
	if (btf_kind(t) == BTF_TYPE_TAG)
		s->outer_tag = btf_str(btf, t->name_off);
}

static void take_inner(const struct btf *btf, const struct btf_type *t, struct shape *s,
		       bool named)
{
	const char *tag = btf_str(btf, t->name_off);

	if (btf_kind(t) != BTF_TYPE_TAG)
		return;
	if (named)
		s->outer_tag = tag;
	else if (s->ntags++ < MAX_TAGS)
		s->tags[s->ntags - 1] = tag;
}

static bool is_mod(const struct btf_type *t)
{
	u32 kind = BIT(btf_kind(t));

	return kind & (BIT(BTF_CONST) | BIT(BTF_VOLATILE) | BIT(BTF_RESTRICT) |
		       BIT(BTF_TYPEDEF) | BIT(BTF_TYPE_TAG));
}

static void read_shape(const struct btf *btf, u32 id, struct shape *s)
{
	const struct btf_type *t = btf_type(btf, id);
	bool named = false;

	*s = (struct shape){0};
	for (; is_mod(t); t = btf_type(btf, t->type))
		take_outer(btf, t, s);
	id = t->type;
	for (t = btf_type(btf, id); is_mod(t); t = btf_type(btf, id)) {
		take_inner(btf, t, s, named);
		named |= btf_kind(t) == BTF_TYPEDEF;
		id = t->type;
	}
	s->pointee = id;
}

/* --- tags --- */

/* At most one letter added, lost, changed, or swapped with the next. */
static bool nearly(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	if (!strcmp(a, b))
		return true;
	if (*a && *b && a[1] == b[0] && a[0] == b[1] && !strcmp(a + 2, b + 2))
		return true;
	return (*a && !strcmp(a + 1, b)) || (*b && !strcmp(a, b + 1)) ||
	       (*a && *b && !strcmp(a + 1, b + 1));
}

static const struct tag_name *find_tag(const char *tag, u32 eras)
{
	for (u32 i = 0; i < ARRAY_SIZE(tag_names); i++)
		if (tag_names[i].eras & eras && !strcmp(tag_names[i].name, tag))
			return &tag_names[i];
	return NULL;
}

/* Meant as one of ours, of whichever era. */
static bool looks_like_slot(const char *tag)
{
	if (!strncmp(tag, "kernel.bpf.", 11) || strstr(tag, "kptr"))
		return true;
	for (u32 i = 0; i < ARRAY_SIZE(tag_names); i++)
		if (strlen(tag) > 3 && nearly(tag, tag_names[i].name))
			return true;
	return false;
}

static const char *first_of_ours(const struct shape *s)
{
	for (u32 i = 0; i < min_u32(s->ntags, MAX_TAGS); i++)
		if (looks_like_slot(s->tags[i]))
			return s->tags[i];
	return s->outer_tag && looks_like_slot(s->outer_tag) ? s->outer_tag : NULL;
}

static int bad_name(struct rec_walk *w, const struct rec_place *place, const char *tag)
{
	const struct tag_name *row = find_tag(tag, ~0u);

	if (row)
		return rec_refuse(w, place, tag, -EINVAL, "D_TAG",
				  "a tag of another era; write %s", row->hint);
	return rec_refuse(w, place, tag, -EINVAL, "D_TAG",
			  "no such tag; one of kptr, kptr_untrusted, percpu_kptr, uptr, "
			  "kptr_percpu, kptr_user is meant?");
}

/* A4: exactly one tag. *kind is NR_FIELD_KINDS where the pointer is plain. */
static int plain_kind(struct rec_walk *w, const struct rec_place *place,
		      const struct shape *s, const char *tag, enum field_kind *kind)
{
	const struct tag_name *row = find_tag(tag, BIT(w->s->opts->era));

	if (s->ntags > 1)
		return rec_refuse(w, place, tag, -EINVAL, "D_TAG",
				  "%u type tags on one pointer, where one is wanted",
				  s->ntags);
	if (!row)
		return bad_name(w, place, tag);
	if (w->s->opts->kinds_off & BIT(row->kind)) /* I3 */
		return rec_refuse(w, place, tag, -EINVAL, "D_TAG",
				  "pointers of this kind are not allowed here");
	*kind = row->kind;
	return 0;
}

enum { SEED_ID = 1, SEED_REF = 2, SEED_PERCPU = 4, SEED_USER = 8 };

static u32 seed_bit(const char *tag)
{
	static const char *const names[] = {"btf_id", "ref", "percpu", "user"};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(tag + strlen("kernel.bpf."), names[i]))
			return BIT(i);
	return 0;
}

/* A3: the seed's grammar, any number of tags. */
static int seed_bits(struct rec_walk *w, const struct rec_place *place,
		     const struct shape *s, u32 *bits)
{
	for (u32 i = 0; i < s->ntags; i++) {
		const char *tag = i < MAX_TAGS ? s->tags[i] : "kernel.";
		u32 bit = strncmp(tag, "kernel.bpf.", 11) ? 0 : seed_bit(tag);

		if (!bit && !strncmp(tag, "kernel.", 7))
			return rec_fail(w, place, tag, -EACCES, "D_TAG",
					"the names that begin with 'kernel.' are reserved");
		if (!bit && looks_like_slot(tag))
			return bad_name(w, place, tag);
		if (*bits & bit)
			return rec_fail(w, place, tag, -EINVAL, "D_TAG", "the tag is repeated");
		*bits |= bit;
	}
	return 0;
}

static int seed_kind(struct rec_walk *w, const struct rec_place *place,
		     const struct shape *s, const char *tag, enum field_kind *kind)
{
	u32 bits = 0;

	TRY(seed_bits(w, place, s, &bits));
	if (!bits)
		return 0;
	if (!(bits & SEED_ID))
		return rec_fail(w, place, tag, -EINVAL, "D_TAG",
				"without the tag kernel.bpf.btf_id beside it");
	switch (bits & ~(u32)SEED_ID) {
	case 0:
		*kind = FIELD_UNREF;
		return 0;
	case SEED_REF:
		*kind = FIELD_REF;
		return 0;
	case SEED_PERCPU:
		*kind = FIELD_PERCPU;
		return 0;
	case SEED_USER:
		*kind = FIELD_USER;
		return 0;
	}
	return rec_fail(w, place, tag, -EINVAL, "D_TAG",
			"ref, percpu and user exclude each other");
}

/* A4: the pointer stands in the member itself, unqualified except for one volatile. */
static const char *badly_written(const struct shape *s)
{
	if (s->outer_tag)
		return "the tag belongs between the struct and the '*'";
	if (s->typedefs)
		return "the pointer is hidden behind a typedef";
	if (s->consts)
		return "the pointer is const, so nothing could be stored";
	if (s->restricts || s->volatiles > 1)
		return "the pointer has a qualifier other than one volatile";
	return NULL;
}

/* --- pointees --- */

/* A7: the host's struct of this name, the base first. */
static bool find_host(const struct rec_walk *w, const char *name, struct field *f)
{
	const struct record_opts *o = w->s->opts;

	for (u32 i = 0; *name && i < o->nhost; i++) {
		f->type = btf_find(o->host[i], name, BTF_STRUCT);
		f->btf = o->host[i];
		if (f->type)
			return true;
	}
	return false;
}

static bool tagged_local(const struct btf *btf, u32 id)
{
	const char *rest;
	u32 count;

	rest = btf_decl_tag(btf, id, -1, "local", &count);
	return rest && !*rest;
}

static bool is_fwd_struct(const struct btf_type *t)
{
	return btf_kind(t) == BTF_FWD && !btf_kflag(t);
}

/* A8: a program's own struct that only happens to have the host's name. */
static int check_capture(struct rec_walk *w, const struct rec_place *place, const char *tag,
			 u32 own, const struct field *f)
{
	const struct btf *btf = w->s->btf;
	const char *name = btf_type_name(btf, own), *path;

	if (btf_kind(btf_type(btf, own)) != BTF_STRUCT ||
	    btf_layout_known(w->s->arena, btf, own, f->btf, f->type, &path))
		return 0;
	if (w->s->opts->lenient || w->s->opts->name_capture)
		return 0;
	return rec_fail(w, place, tag, -EINVAL, "D_POINTEE",
			"struct %s is the host's by its name, but %s does not fit it; "
			"rename it, or give it __attribute__((btf_decl_tag(\"local\")))",
			name, path ? path : "its layout");
}

/* A7: where the pointee lives, into @f. *plain: it became plain bytes. */
static int find_pointee(struct rec_walk *w, const struct rec_place *place, const char *tag,
			u32 own, struct field *f, bool *plain)
{
	const struct btf *btf = w->s->btf;
	const char *name = btf_type_name(btf, own);
	bool fwd = is_fwd_struct(btf_type(btf, own));

	if (!tagged_local(btf, own) && find_host(w, name, f))
		return check_capture(w, place, tag, own, f);
	if (fwd) /* A9; another file of the program may have it in full */
		own = btf_find(btf, name, BTF_STRUCT);
	if (!own) {
		*plain = true;
		return rec_refuse(w, place, tag, -EINVAL, "D_FWD",
				  "struct %s is only declared here, and unknown to the host",
				  name);
	}
	if (w->s->opts->no_local)
		return rec_fail(w, place, tag, -ENOENT, "D_POINTEE",
				"struct %s is unknown to the host", name);
	f->btf = btf;
	f->type = own;
	f->local = true;
	return 0;
}

/* A10 */
static int check_ref(struct rec_walk *w, const struct rec_place *place, const char *tag,
		     const struct field *f)
{
	const struct record_opts *o = w->s->opts;

	if (f->local || (o->has_dtor && o->has_dtor(o->data, f->btf, f->type)))
		return 0;
	return rec_fail(w, place, tag, -ENOENT, "D_NODTOR",
			"struct %s has no registered destructor",
			btf_type_name(f->btf, f->type));
}

/* A13 */
static int check_percpu(struct rec_walk *w, const struct rec_place *place, const char *tag,
			const struct field *f)
{
	if (f->local || strcmp(tag, "percpu_kptr") || w->s->opts->lenient)
		return 0;
	return rec_fail(w, place, tag, -EINVAL, "D_POINTEE",
			"struct %s is the host's; only the program's own structs can be "
			"allocated per CPU", btf_type_name(f->btf, f->type));
}

/* A14 */
static int check_uptr(struct rec_walk *w, const struct rec_place *place, const char *tag,
		      const struct field *f)
{
	const char *name = btf_type_name(f->btf, f->type);
	u32 size = btf_type(f->btf, f->type)->size;

	if (!f->local)
		return rec_fail(w, place, tag, -EINVAL, "D_UPTR",
				"struct %s is the host's, where the program's own is wanted",
				name);
	if (!size)
		return rec_fail(w, place, tag, -EINVAL, "D_UPTR", "struct %s is empty", name);
	if (size > UPTR_MAX)
		return rec_fail(w, place, tag, -E2BIG, "D_UPTR",
				"struct %s has %u bytes, more than a page of %u", name, size,
				UPTR_MAX);
	return 0;
}

static int check_pointee(struct rec_walk *w, const struct rec_place *place, const char *tag,
			 const struct field *f)
{
	switch (f->kind) {
	case FIELD_REF:
		return check_ref(w, place, tag, f);
	case FIELD_PERCPU:
		return check_percpu(w, place, tag, f);
	case FIELD_UPTR:
		return check_uptr(w, place, tag, f);
	default:
		return 0; /* A12: any struct */
	}
}

int rec_slot(struct rec_walk *w, u32 type, const struct rec_place *place)
{
	const struct btf *btf = w->s->btf;
	struct field f = {.kind = NR_FIELD_KINDS, .size = POINTER_SIZE};
	const struct btf_type *t;
	const char *tag, *why;
	struct shape s;
	bool plain = false;

	read_shape(btf, type, &s);
	tag = first_of_ours(&s);
	if (!tag && !(w->s->opts->era == TAGS_V1 && s.ntags)) {
		w->foreign_tag |= s.ntags > 0;
		return 0;
	}
	w->found++;
	if (tag && (why = badly_written(&s)))
		return rec_refuse(w, place, tag, -EINVAL, "D_PLACE", "%s", why);
	if (w->s->opts->era == TAGS_V1)
		TRY(seed_kind(w, place, &s, tag ? tag : s.tags[0], &f.kind));
	else
		TRY(plain_kind(w, place, &s, tag, &f.kind));
	if (f.kind == NR_FIELD_KINDS)
		return 0;
	t = btf_type(btf, s.pointee);
	if (btf_kind(t) != BTF_STRUCT && !is_fwd_struct(t)) /* A6 */
		return rec_refuse(w, place, tag, -EINVAL, "D_POINTEE",
				  "%s is not a struct",
				  btf_decl(w->s->arena, btf, s.pointee, "", false) ?: "it");
	TRY(find_pointee(w, place, tag, s.pointee, &f, &plain));
	if (plain)
		return 0;
	TRY(check_pointee(w, place, tag, &f));
	return rec_add(w, place, tag, POINTER_SIZE, f);
}
