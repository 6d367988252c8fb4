/* SPDX-License-Identifier: MIT
 *
 * btf_core_spec.c: what a relocation of a program says, by the program's own types.
 */
#include "btf/btf_core_impl.h"

#include "base/arena.h"

static const struct {
	const char *name;
	enum core_subject subject;
} kinds[NR_CORE_KINDS] = {
	[CORE_FIELD_BYTE_OFFSET] = {"byte_off", CORE_FIELD},
	[CORE_FIELD_BYTE_SIZE]   = {"byte_sz", CORE_FIELD},
	[CORE_FIELD_EXISTS]      = {"field_exists", CORE_FIELD},
	[CORE_FIELD_SIGNED]      = {"signed", CORE_FIELD},
	[CORE_FIELD_LSHIFT_U64]  = {"lshift_u64", CORE_FIELD},
	[CORE_FIELD_RSHIFT_U64]  = {"rshift_u64", CORE_FIELD},
	[CORE_TYPE_ID_LOCAL]     = {"local_type_id", CORE_TYPE},
	[CORE_TYPE_ID_TARGET]    = {"target_type_id", CORE_TYPE},
	[CORE_TYPE_EXISTS]       = {"type_exists", CORE_TYPE},
	[CORE_TYPE_SIZE]         = {"type_size", CORE_TYPE},
	[CORE_ENUMVAL_EXISTS]    = {"enumval_exists", CORE_ENUMVAL},
	[CORE_ENUMVAL_VALUE]     = {"enumval_value", CORE_ENUMVAL},
	[CORE_TYPE_MATCHES]      = {"type_matches", CORE_TYPE},
};

const char *core_kind_name(u32 kind)
{
	return kind < NR_CORE_KINDS ? kinds[kind].name : "unknown";
}

enum core_subject core_subject(u32 kind)
{
	return kinds[kind].subject;
}

/* "0:1:2" into numbers; false for anything else. */
static bool read_numbers(const char *s, struct core_spec *spec)
{
	for (spec->nraw = 0; spec->nraw < CORE_MAX_STEPS; s++) {
		u64 n = 0;

		if (*s < '0' || *s > '9')
			return false;
		for (; *s >= '0' && *s <= '9' && n <= UINT32_MAX; s++)
			n = n * 10 + (u64)(*s - '0');
		if (n > UINT32_MAX)
			return false;
		spec->raw[spec->nraw++] = (u32)n;
		if (!*s)
			return true;
		if (*s != ':')
			return false;
	}
	return false;
}

bool core_add_index(u64 *bit, u32 index, u32 size)
{
	if ((u64)index * size > UINT32_MAX)
		return false;
	*bit += (u64)index * size * 8;
	return true;
}

/* Past the bounds only where the array is the flexible end of a struct. */
bool core_index_ok(const struct btf *btf, const struct core_at *at, u32 array, u32 index)
{
	const struct btf_array_info *a = btf_array(btf_type(btf, array));

	if (index < a->nelems)
		return true;
	return !a->nelems && at->owner &&
	       at->member + 1 == btf_vlen(btf_type(btf, at->owner));
}

static void add_step(struct core_spec *spec, const char *name, u32 type, u32 index)
{
	spec->steps[spec->nsteps++] =
		(struct core_step){.name = name, .type = type, .index = index};
}

static bool step_member(struct core_spec *spec, u32 id, u32 index)
{
	const struct btf_type *t = btf_type(spec->btf, id);
	const struct btf_member *m = &btf_members(t)[index];
	const char *name;

	if (index >= btf_vlen(t))
		return false;
	name = btf_str(spec->btf, m->name_off);
	spec->at.bit += btf_member_bit(t, m);
	spec->at.type = m->type;
	spec->at.owner = id;
	spec->at.member = index;
	if (*name) /* anonymous ones are found again by what is in them */
		add_step(spec, name, m->type, index);
	return true;
}

static bool step_element(struct core_spec *spec, u32 id, u32 index)
{
	u32 elem = btf_array(btf_type(spec->btf, id))->type, size;

	if (!core_index_ok(spec->btf, &spec->at, id, index) ||
	    !btf_size(spec->btf, elem, &size) || !core_add_index(&spec->at.bit, index, size))
		return false;
	spec->at.type = elem;
	spec->at.owner = 0;
	add_step(spec, NULL, elem, index);
	return true;
}

static bool read_field(struct core_spec *spec)
{
	u32 size;

	if (!btf_size(spec->btf, spec->root, &size) ||
	    !core_add_index(&spec->at.bit, spec->raw[0], size))
		return false;
	add_step(spec, NULL, spec->root, spec->raw[0]);
	for (u32 i = 1; i < spec->nraw; i++) {
		u32 id = btf_skip_mods(spec->btf, spec->at.type);
		const struct btf_type *t = btf_type(spec->btf, id);
		bool ok = false;

		if (btf_is_composite(t))
			ok = step_member(spec, id, spec->raw[i]);
		else if (btf_kind(t) == BTF_ARRAY)
			ok = step_element(spec, id, spec->raw[i]);
		if (!ok)
			return false;
	}
	return true;
}

static bool read_enumval(struct core_spec *spec)
{
	const struct btf_type *t =
		btf_type(spec->btf, btf_skip_mods(spec->btf, spec->root));
	u32 i = spec->raw[0], name_off;

	if (spec->nraw != 1 || i >= btf_vlen(t))
		return false;
	if (btf_kind(t) == BTF_ENUM)
		name_off = btf_enumerators(t)[i].name_off;
	else if (btf_kind(t) == BTF_ENUM64)
		name_off = btf_enumerators64(t)[i].name_off;
	else
		return false;
	add_step(spec, btf_str(spec->btf, name_off), 0, i);
	return true;
}

static bool read_path(struct core_spec *spec)
{
	switch (spec->subject) {
	case CORE_FIELD:
		return read_field(spec);
	case CORE_ENUMVAL:
		return read_enumval(spec);
	case CORE_TYPE:
		return spec->nraw == 1 && !spec->raw[0];
	}
	return false;
}

bool core_spec_read(const struct btf *local, const struct core_relo *relo,
		    struct core_spec *spec, const char **why)
{
	const char *path = btf_str_checked(local, relo->access_str_off);

	memset(spec, 0, sizeof(*spec));
	*why = "unknown kind of relocation";
	if (relo->kind >= NR_CORE_KINDS)
		return false;
	*why = "the type id is out of range";
	if (!relo->type_id || relo->type_id >= btf_end(local))
		return false;
	*why = "the access string is malformed";
	if (!path || !read_numbers(path, spec))
		return false;
	*why = "the access string does not fit the type";
	spec->btf = local;
	spec->root = relo->type_id;
	spec->subject = core_subject(relo->kind);
	spec->at = (struct core_at){.btf = local, .type = relo->type_id};
	return read_path(spec);
}

/* --- for messages --- */

/* ".bar.baz[3]", "::VALUE" */
static const char *steps_text(struct arena *arena, const struct core_spec *spec)
{
	const char *text = "";

	for (u32 i = 0; i < spec->nsteps && text; i++) {
		const struct core_step *s = &spec->steps[i];

		if (spec->subject == CORE_ENUMVAL)
			text = arena_printf(arena, "::%s", s->name);
		else if (s->name)
			text = arena_printf(arena, "%s.%s", text, s->name);
		else if (i || s->index)
			text = arena_printf(arena, "%s[%u]", text, s->index);
	}
	return text ? text : "";
}

static const char *place_text(struct arena *arena, const struct core_spec *spec,
			      const char *path)
{
	const char *text;

	if (spec->subject != CORE_FIELD)
		return "";
	text = spec->at.bit % 8 ?
		arena_printf(arena, " (%s @ offset %llu.%llu)", path,
			     (unsigned long long)spec->at.bit / 8,
			     (unsigned long long)spec->at.bit % 8) :
		arena_printf(arena, " (%s @ offset %llu)", path,
			     (unsigned long long)spec->at.bit / 8);
	return text ? text : "";
}

const char *core_spec_str(struct arena *arena, const struct btf *local,
			  const struct core_relo *relo)
{
	const char *path = btf_str(local, relo->access_str_off), *type, *why;
	struct core_spec spec;

	if (!core_spec_read(local, relo, &spec, &why))
		return arena_printf(arena, "<%s> type %u (%s): %s", core_kind_name(relo->kind),
				    relo->type_id, path, why);
	type = btf_decl(arena, local, spec.root, "", false);
	return arena_printf(arena, "<%s> %s%s%s", core_kind_name(relo->kind),
			    type ? type : "?", steps_text(arena, &spec),
			    place_text(arena, &spec, path));
}
