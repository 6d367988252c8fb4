/* SPDX-License-Identifier: MIT
 *
 * btf_check.c: what a record may say. Everything an accessor relies on is decided here,
 * once, at opening:
 *
 *  1. each record alone: its size, unused bits, name, kind flag, element count, and that
 *     the ids in it exist and are of a kind that may stand there;
 *  2. chains (modifiers, typedefs, arrays, pointers) end, within BTF_MAX_CHAIN steps;
 *  3. sizes: members lie inside their struct, arrays do not overflow, structs do not
 *     contain themselves by value.
 *
 * The order matters: 3 calls accessors that are safe only after 1 and 2. A base was
 * checked when it was opened, and never refers to what is split from it.
 *
 * The format is the one documented for the kernel; where a compiler or pahole writes
 * something wider (names of C++ types, unfinished data sections of objects; gcc 12: a
 * nameless function for each function type, a type in forward declarations), that is taken
 * too.
 *
 * Hosts: pahole before 1.25 does not know C11 _Atomic. What refers to an atomic type then
 * refers to whatever type came last in the file compiled before, most often a function.
 * In a host's BTF such references are not refused but made void (in our own copy), so
 * that a member keeps its name and is known to have no type; see mend().
 */
#include "btf/btf_impl.h"

#include "base/log.h"

#include <stdarg.h>

struct check {
	struct log *log;
	struct btf *btf;
	const struct btf_type *t; /* the record being checked */
	u32 id;
	u8 *kinds;  /* by own index: close together, where the records are far apart */
	bool mend;  /* a host's BTF, in memory of our own: impossible references become void */
	u32 mended;
};

enum naming { NAME_MAY, NAME_MUST, NAME_NOT, NAME_TEXT /* must, any bytes */ };

enum {
	ALL_KINDS = BIT(NR_BTF_KINDS) - 1,
	NOT_A_TYPE = BIT(BTF_FUNC) | BIT(BTF_VAR) | BIT(BTF_DATASEC) | BIT(BTF_DECL_TAG),
	/* Where a type may stand, and where only one whose values exist. */
	ANY_TYPE = ALL_KINDS & ~NOT_A_TYPE,
	ANY_VALUE = ANY_TYPE & ~(BIT(BTF_VOID) | BIT(BTF_FUNC_PROTO) | BIT(BTF_FWD)),
	/* What stands there once it was mended. */
	MENDED = BIT(BTF_VOID),
	TAGGABLE = BIT(BTF_STRUCT) | BIT(BTF_UNION) | BIT(BTF_FUNC) | BIT(BTF_VAR) |
		   BIT(BTF_TYPEDEF),
	CHAIN = BIT(BTF_PTR) | BIT(BTF_TYPEDEF) | BIT(BTF_VOLATILE) | BIT(BTF_CONST) |
		BIT(BTF_RESTRICT) | BIT(BTF_TYPE_TAG) | BIT(BTF_ARRAY),
};

static int refs_array(struct check *c);
static int refs_members(struct check *c);
static int refs_params(struct check *c);
static int refs_secinfos(struct check *c);
static int names_enum(struct check *c);
static int names_enum64(struct check *c);
static int alone_int(struct check *c);
static int alone_float(struct check *c);
static int alone_linkage(struct check *c);
static int sized_array(struct check *c);
static int sized_members(struct check *c);
static int sized_secinfos(struct check *c);
static int sized_decl_tag(struct check *c);

struct kind_rule {
	const char *name;
	u8 fixed, each; /* bytes after the common 12, and for each element */
	enum naming naming;
	bool kflag, vlen; /* may be set */
	u32 target;	  /* kinds the `type` field may name; 0: it is a size */
	int (*alone)(struct check *c); /* step 1 */
	int (*sized)(struct check *c); /* step 3 */
};

static const struct kind_rule rules[NR_BTF_KINDS] = {
	[BTF_INT]        = {"int",        4,  0, NAME_MAY,  0, 0, 0, alone_int},
	[BTF_PTR]        = {"pointer",    0,  0, NAME_NOT,  0, 0, ANY_TYPE},
	[BTF_ARRAY]      = {"array",     12,  0, NAME_NOT,  0, 0, 0, refs_array, sized_array},
	[BTF_STRUCT]     = {"struct",     0, 12, NAME_MAY,  1, 1, 0, refs_members, sized_members},
	[BTF_UNION]      = {"union",      0, 12, NAME_MAY,  1, 1, 0, refs_members, sized_members},
	[BTF_ENUM]       = {"enum",       0,  8, NAME_MAY,  1, 1, 0, names_enum},
	[BTF_FWD]        = {"forward",    0,  0, NAME_MUST, 1, 0, 0},
	[BTF_TYPEDEF]    = {"typedef",    0,  0, NAME_MUST, 0, 0, ANY_TYPE},
	[BTF_VOLATILE]   = {"volatile",   0,  0, NAME_NOT,  0, 0, ANY_TYPE},
	[BTF_CONST]      = {"const",      0,  0, NAME_NOT,  0, 0, ANY_TYPE},
	[BTF_RESTRICT]   = {"restrict",   0,  0, NAME_NOT,  0, 0, ANY_TYPE},
	[BTF_FUNC]       = {"function",   0,  0, NAME_MAY,  0, 1, BIT(BTF_FUNC_PROTO), alone_linkage},
	[BTF_FUNC_PROTO] = {"prototype",  0,  8, NAME_NOT,  0, 1, ANY_TYPE, refs_params},
	[BTF_VAR]        = {"variable",   4,  0, NAME_MUST, 0, 0, ANY_TYPE, alone_linkage},
	[BTF_DATASEC]    = {"section",    0, 12, NAME_MUST, 0, 1, 0, refs_secinfos, sized_secinfos},
	[BTF_FLOAT]      = {"float",      0,  0, NAME_MUST, 0, 0, 0, alone_float},
	[BTF_DECL_TAG]   = {"decl tag",   4,  0, NAME_TEXT, 1, 0, TAGGABLE, NULL, sized_decl_tag},
	[BTF_TYPE_TAG]   = {"type tag",   0,  0, NAME_TEXT, 1, 0, ANY_TYPE},
	[BTF_ENUM64]     = {"enum64",     0, 12, NAME_MAY,  1, 1, 0, names_enum64},
};

u32 btf_record_size(const struct btf_type *t, u32 left, const char **why)
{
	const struct kind_rule *rule;
	u32 size;

	*why = "the record is cut off";
	if (left < sizeof(*t))
		return 0;
	*why = "unknown kind";
	if (btf_kind(t) == BTF_VOID || btf_kind(t) >= NR_BTF_KINDS)
		return 0;
	*why = "unused bits are set";
	if (t->info & 0x60ff0000)
		return 0;
	*why = "the record is cut off";
	rule = &rules[btf_kind(t)];
	size = sizeof(*t) + rule->fixed + rule->each * btf_vlen(t);
	return size <= left ? size : 0;
}

FORMAT(2, 3) static int bad(struct check *c, const char *fmt, ...)
{
	const char *name = btf_str_checked(c->btf, c->t->name_off);
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return log_fail(c->log, -EINVAL, "%s: BTF: type %u (%s '%.64s'): %s", c->btf->name,
			c->id, rules[btf_kind(c->t)].name, name ? name : "?", text);
}

enum { MAX_NOTES = 8 }; /* how many of the mended references are told */

/* Makes the reference at @where void, which is the @i'th @what of the record (-1: there is
 * only one). False where that is not wanted. */
static bool mend(struct check *c, const u32 *where, const char *what, s32 i)
{
	char number[16] = "";
	const char *name = btf_str_checked(c->btf, c->t->name_off);

	if (!c->mend)
		return false;
	if (i >= 0)
		snprintf(number, sizeof(number), " %d", i);
	if (c->mended++ < MAX_NOTES)
		log_print(c->log, LOG_NOTE,
			  "%s: BTF: type %u (%s '%.64s'): %s%s has an impossible type, and is "
			  "taken for void (pahole before 1.25 does not know _Atomic)\n",
			  c->btf->name, c->id, rules[btf_kind(c->t)].name, name ? name : "?", what,
			  number);
	*(u32 *)where = 0;
	return true;
}

/* A printable name, or ""; source lines with tabs may share the string section. */
static bool name_is_text(const struct btf *btf, u32 off)
{
	const char *s = btf_str_checked(btf, off);

	while (off < btf->strs_start)
		btf = btf->base;
	if (!s || !btf->strs_odd)
		return s != NULL;
	for (; *s; s++)
		if ((u8)*s < 0x20)
			return false;
	return true;
}

static int check_name(struct check *c, enum naming naming)
{
	const char *name = btf_str_checked(c->btf, c->t->name_off);

	if (!name)
		return bad(c, "the name's offset %u is out of range", c->t->name_off);
	if (naming == NAME_NOT && *name)
		return bad(c, "a name where none belongs");
	if (naming >= NAME_MUST && naming != NAME_NOT && !*name)
		return bad(c, "no name");
	if (naming != NAME_TEXT && !name_is_text(c->btf, c->t->name_off))
		return bad(c, "the name has control characters");
	return 0;
}

/* The @i'th element's name: a member, an enumerator, a parameter. */
static int check_elem_name(struct check *c, u32 i, u32 off)
{
	if (likely(name_is_text(c->btf, off)))
		return 0;
	return bad(c, "element %u: the name is out of range or has control characters", i);
}

static enum btf_kind kind_of(const struct check *c, u32 id)
{
	if (likely(id >= c->btf->start))
		return (enum btf_kind)c->kinds[id - c->btf->start];
	return btf_kind(btf_rec(c->btf, id));
}

static int check_target(struct check *c, u32 id, u32 kinds, const char *what)
{
	if (id >= c->btf->end)
		return bad(c, "%s: type id %u is out of range", what, id);
	if (BIT(kind_of(c, id)) & kinds)
		return 0;
	return bad(c, "%s: type id %u is a %s, which cannot stand there", what, id,
		   id ? rules[btf_kind(btf_rec(c->btf, id))].name : "void");
}

/* As check_target(), of what may be mended: @where is the @i'th @what of the record. */
static int check_ref(struct check *c, const u32 *where, u32 kinds, const char *what, s32 i)
{
	if (c->mend && *where < c->btf->end) {
		kinds |= MENDED;
		if (!(BIT(kind_of(c, *where)) & kinds))
			mend(c, where, what, i);
	}
	return check_target(c, *where, kinds, what);
}

static int check_alone(struct check *c)
{
	const struct kind_rule *rule = &rules[btf_kind(c->t)];

	TRY(check_name(c, rule->naming));
	if (btf_kflag(c->t) && !rule->kflag)
		return bad(c, "the kind flag is set");
	if (btf_vlen(c->t) && !rule->vlen)
		return bad(c, "the element count is not zero");
	if (rule->target == ANY_TYPE)
		TRY(check_ref(c, &c->t->type, rule->target, "target", -1));
	else if (rule->target)
		TRY(check_target(c, c->t->type, rule->target, "target"));
	return rule->alone ? rule->alone(c) : 0;
}

/* --- step 1, by kind --- */

static int alone_int(struct check *c)
{
	u32 data = *(const u32 *)(c->t + 1), size = c->t->size;
	u32 bits = data & 0xff, encoding = data >> 24;

	/* Signed, char or bool, each alone; gcc 12 writes signed and char together. */
	if (data & 0xf0ffff00 || encoding > 4)
		return bad(c, "unknown encoding or bit offset 0x%x", data);
	if (!size || size > 16 || size & (size - 1))
		return bad(c, "size %u", size);
	if (!bits || bits > size * 8)
		return bad(c, "%u bits in %u bytes", bits, size);
	return 0;
}

static int alone_float(struct check *c)
{
	u32 size = c->t->size;

	if (size != 2 && size != 4 && size != 8 && size != 12 && size != 16)
		return bad(c, "size %u", size);
	return 0;
}

static int alone_linkage(struct check *c)
{
	u32 linkage = btf_kind(c->t) == BTF_FUNC ? btf_func_linkage(c->t) :
						   btf_var_linkage(c->t);

	return linkage > BTF_EXTERN ? bad(c, "unknown linkage %u", linkage) : 0;
}

static int refs_array(struct check *c)
{
	const struct btf_array_info *a = btf_array(c->t);

	if (c->t->size)
		return bad(c, "the size field is not zero");
	TRY(check_ref(c, &a->type, ANY_VALUE, "element", -1));
	return check_target(c, a->index_type, ANY_VALUE, "index");
}

static int refs_members(struct check *c)
{
	const struct btf_member *m = btf_members(c->t);

	for (u32 i = 0; i < btf_vlen(c->t); i++) {
		TRY(check_elem_name(c, i, m[i].name_off));
		TRY(check_ref(c, &m[i].type, ANY_VALUE, "member", (s32)i));
	}
	return 0;
}

/* A last parameter without name and type stands for "...". */
static int refs_params(struct check *c)
{
	const struct btf_param *p = btf_params(c->t);
	u32 n = btf_vlen(c->t);

	for (u32 i = 0; i < n; i++) {
		TRY(check_elem_name(c, i, p[i].name_off));
		if (!p[i].type && (i + 1 < n || p[i].name_off) && !c->mend)
			return bad(c, "parameter %u is void", i);
		TRY(check_ref(c, &p[i].type, ANY_TYPE & ~BIT(BTF_FUNC_PROTO), "parameter",
			      (s32)i));
	}
	return 0;
}

static int refs_secinfos(struct check *c)
{
	const struct btf_secinfo *s = btf_secinfos(c->t);

	for (u32 i = 0; i < btf_vlen(c->t); i++)
		TRY(check_target(c, s[i].type, BIT(BTF_VAR) | BIT(BTF_FUNC), "variable"));
	return 0;
}

static int enum_size(struct check *c)
{
	u32 size = c->t->size;

	return !size || size > 8 || size & (size - 1) ? bad(c, "size %u", size) : 0;
}

static int names_enum(struct check *c)
{
	const struct btf_enumerator *e = btf_enumerators(c->t);

	for (u32 i = 0; i < btf_vlen(c->t); i++) {
		TRY(check_elem_name(c, i, e[i].name_off));
		if (!*btf_str(c->btf, e[i].name_off))
			return bad(c, "element %u has no name", i);
	}
	return enum_size(c);
}

static int names_enum64(struct check *c)
{
	const struct btf_enumerator64 *e = btf_enumerators64(c->t);

	for (u32 i = 0; i < btf_vlen(c->t); i++) {
		TRY(check_elem_name(c, i, e[i].name_off));
		if (!*btf_str(c->btf, e[i].name_off))
			return bad(c, "element %u has no name", i);
	}
	return enum_size(c);
}

/* --- step 2 --- */

static const u32 *chain_next(const struct btf_type *t)
{
	return btf_kind(t) == BTF_ARRAY ? &btf_array(t)->type : &t->type;
}

/* C cannot make a loop without a struct or a function type in it. */
static int check_chain(struct check *c)
{
	const struct btf_type *t = c->t;

	for (u32 n = 0; BIT(btf_kind(t)) & CHAIN; n++) {
		if (n == BTF_MAX_CHAIN && mend(c, chain_next(c->t), "target", -1))
			return 0;
		if (n == BTF_MAX_CHAIN)
			return bad(c, "refers to itself, or through more than %u types",
				   BTF_MAX_CHAIN);
		t = btf_rec(c->btf, *chain_next(t));
	}
	return 0;
}

/* --- step 3 --- */

static int sized_array(struct check *c)
{
	const struct btf_array_info *a = btf_array(c->t);
	const struct btf_type *index;
	u32 size;

	index = btf_rec(c->btf, btf_skip_mods(c->btf, a->index_type));
	if (btf_kind(index) != BTF_INT)
		return bad(c, "the index type %u is not an integer", a->index_type);
	if (!btf_size(c->btf, a->type, &size) && c->mend)
		return 0;
	if (!btf_size(c->btf, a->type, &size))
		return bad(c, "the element type %u has no size", a->type);
	if (!btf_size(c->btf, c->id, &size))
		return bad(c, "%u elements of type %u are too large", a->nelems, a->type);
	return 0;
}

static int bad_member(struct check *c, u32 i, const char *what)
{
	return bad(c, "member %u ('%.64s'): %s", i,
		   btf_str(c->btf, btf_members(c->t)[i].name_off), what);
}

static const char *bad_bitfield(struct check *c, u32 i, u32 bit, u32 bits)
{
	u32 id = btf_skip_mods(c->btf, btf_members(c->t)[i].type), size;
	u32 kind = BIT(btf_kind(btf_rec(c->btf, id)));

	if (!(kind & (BIT(BTF_INT) | BIT(BTF_ENUM) | BIT(BTF_ENUM64))))
		return "a bitfield that is no integer";
	btf_size(c->btf, id, &size);
	if (bits > size * 8)
		return "a bitfield wider than its type";
	if ((u64)bit + bits > (u64)c->t->size * 8)
		return "ends beyond the struct";
	return NULL;
}

/* In C only the members of unions overlap; C++ has bases, which have no name. */
static bool overlaps_next(const struct check *c, u32 i, u32 end)
{
	const struct btf_member *m = &btf_members(c->t)[i];

	return c->mend && btf_kind(c->t) == BTF_STRUCT && i + 1 < btf_vlen(c->t) &&
	       m->name_off && end > btf_member_bit(c->t, &m[1]) / 8;
}

static const char *bad_type(struct check *c, u32 i)
{
	const struct btf_member *m = &btf_members(c->t)[i];
	u32 bit = btf_member_bit(c->t, m), bits = btf_member_bits(c->t, m), size;

	if (bits)
		return bad_bitfield(c, i, bit, bits);
	if (bit % 8)
		return "not at a whole byte, and no bitfield";
	if (!btf_size(c->btf, m->type, &size))
		return "its type has no size";
	if (!add_fits(bit / 8, size, c->t->size))
		return "ends beyond the struct";
	if (overlaps_next(c, i, bit / 8 + size))
		return "overlaps the next member";
	return NULL;
}

static int check_member(struct check *c, u32 i)
{
	const struct btf_member *m = &btf_members(c->t)[i];
	const char *why;

	if (btf_member_bit(c->t, m) && btf_kind(c->t) == BTF_UNION)
		return bad_member(c, i, "not at offset 0 of its union");
	if (c->mend && !m->type)
		return 0;
	why = bad_type(c, i);
	return why && !mend(c, &m->type, "member", (s32)i) ? bad_member(c, i, why) : 0;
}

/* The struct that a member of type @id holds by value, arrays opened; 0: none. */
static u32 held_struct(const struct btf *btf, u32 id)
{
	for (;;) {
		const struct btf_type *t = btf_rec(btf, id = btf_skip_mods(btf, id));

		if (btf_kind(t) != BTF_ARRAY)
			return btf_is_composite(t) ? id : 0;
		id = btf_array(t)->type;
	}
}

enum { NEST_OPEN = 255 }; /* in btf->nest: being visited; 0: not visited */

static u8 *nest_of(struct btf *btf, u32 id)
{
	const struct btf *owner = btf;

	while (id < owner->start)
		owner = owner->base;
	return &owner->nest[id - owner->start];
}

/* Levels of structs by value in struct @id, itself included; 0: too many, or a loop. */
static u32 nest(struct btf *btf, u32 id, u32 depth)
{
	const struct btf_type *t = btf_rec(btf, id);
	u8 *memo = nest_of(btf, id);
	u32 most = 0;

	if (*memo)
		return *memo == NEST_OPEN ? 0 : *memo;
	if (depth == BTF_MAX_NEST)
		return 0;
	*memo = NEST_OPEN;
	for (u32 i = 0; i < btf_vlen(t); i++) {
		u32 inner = held_struct(btf, btf_members(t)[i].type);
		u32 n = inner ? nest(btf, inner, depth + 1) : 0;

		if ((inner && !n) || n == BTF_MAX_NEST)
			return 0;
		most = max_u32(most, n);
	}
	return *memo = (u8)(most + 1);
}

static int sized_members(struct check *c)
{
	for (u32 i = 0; i < btf_vlen(c->t); i++)
		TRY(check_member(c, i));
	if (!nest(c->btf, c->id, 0))
		return bad(c, "contains itself, or more than %u levels of structs",
			   BTF_MAX_NEST);
	return 0;
}

/* Before its object is relocated a section has size 0, and its variables any offset. */
static int sized_secinfos(struct check *c)
{
	const struct btf_secinfo *s = btf_secinfos(c->t);
	u64 end = 0;
	u32 size;

	for (u32 i = 0; i < btf_vlen(c->t); i++) {
		if (btf_size(c->btf, s[i].type, &size) && s[i].size && size > s[i].size &&
		    !c->mend)
			return bad(c, "variable %u is larger than its place", i);
		if (!add_fits(s[i].offset, max_u32(s[i].size, size), UINT32_MAX))
			return bad(c, "variable %u is out of range", i);
		if (!c->t->size)
			continue;
		if (s[i].offset < end)
			return bad(c, "variable %u overlaps the one before it", i);
		end = (u64)s[i].offset + s[i].size;
		if (end > c->t->size)
			return bad(c, "variable %u ends beyond the section", i);
	}
	return 0;
}

static u32 components(const struct btf *btf, const struct btf_type *t)
{
	if (btf_kind(t) == BTF_FUNC)
		t = btf_rec(btf, t->type);
	return btf_kind(t) == BTF_VAR || btf_kind(t) == BTF_TYPEDEF ? 0 : btf_vlen(t);
}

static int sized_decl_tag(struct check *c)
{
	const struct btf_type *target = btf_rec(c->btf, c->t->type);
	s32 index = btf_decl_tag_index(c->t);

	if (index < -1 || (index >= 0 && (u32)index >= components(c->btf, target)))
		return bad(c, "component %d of type %u", index, c->t->type);
	return 0;
}

static int check_chain_if(struct check *c)
{
	return BIT(btf_kind(c->t)) & CHAIN ? check_chain(c) : 0;
}

static int check_sized(struct check *c)
{
	const struct kind_rule *rule = &rules[btf_kind(c->t)];

	return rule->sized ? rule->sized(c) : 0;
}

static int for_each(struct check *c, int (*step)(struct check *c))
{
	for (c->id = c->btf->start; c->id < c->btf->end; c->id++) {
		c->t = btf_rec(c->btf, c->id);
		TRY(step(c));
	}
	return 0;
}

static int check_all(struct check *c)
{
	TRY(for_each(c, check_alone));
	TRY(for_each(c, check_chain_if));
	TRY(for_each(c, check_sized));
	if (c->mended > MAX_NOTES)
		log_print(c->log, LOG_NOTE, "%s: BTF: and %u more\n", c->btf->name,
			  c->mended - MAX_NOTES);
	return 0;
}

int btf_check(struct log *log, struct btf *btf, bool mend_it)
{
	struct check c = {.log = log, .btf = btf, .mend = mend_it};
	u32 n = btf->end - btf->start;
	int err = -ENOMEM;

	btf->nest = calloc((size_t)n + 1, 1);
	c.kinds = malloc((size_t)n + 1);
	if (btf->nest && c.kinds) {
		for (u32 i = 0; i < n; i++)
			c.kinds[i] = btf_kind(btf_rec(btf, btf->start + i));
		err = check_all(&c);
	}
	free(c.kinds);
	return err;
}
