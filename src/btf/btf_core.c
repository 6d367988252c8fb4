/* SPDX-License-Identifier: MIT
 *
 * btf_core.c: the answer to a CO-RE relocation. Candidates are the host types of the same
 * kind and essential name as the program's; each that the program's path can be followed
 * through answers, and all must answer alike.
 *
 * When none does, questions whether something exists are answered with no, a type's size
 * and id with 0, and everything else with poison.
 */
#include "btf/btf_core_impl.h"

#include "base/log.h"

struct question {
	struct log *log;
	const struct btf *local;
	const struct core_relo *relo;
	struct core_spec spec;
	u32 candidates, answers;
	u32 budget; /* members looked at, for types made to take exponential time */
	struct core_result *out;
};

static int fail(struct question *q, const char *what)
{
	const struct core_relo *r = q->relo;
	bool known = r->type_id && r->type_id < btf_end(q->local);

	return log_fail(q->log, -EINVAL, "CO-RE relocation <%s> of type %u '%s' (%s): %s",
			core_kind_name(r->kind), r->type_id,
			known ? btf_type_name(q->local, r->type_id) : "?",
			btf_str(q->local, r->access_str_off), what);
}

/* --- following the path through a candidate --- */

static bool find_member(struct question *q, struct core_at *at, u32 id, u64 bit,
			const struct core_step *step)
{
	const struct btf_type *t = btf_type(at->btf, id);
	const struct btf_member *m = btf_members(t);

	for (u32 i = 0; i < btf_vlen(t) && q->budget; i++, q->budget--) {
		const char *name = btf_str(at->btf, m[i].name_off);
		u32 inner = btf_skip_mods(at->btf, m[i].type);
		u64 here = bit + btf_member_bit(t, &m[i]);

		if (*name && !strcmp(name, step->name)) {
			*at = (struct core_at){.btf = at->btf, .type = m[i].type, .bit = here,
					       .owner = id, .member = i};
			return true;
		}
		if (!*name && btf_is_composite(btf_type(at->btf, inner)) &&
		    find_member(q, at, inner, here, step))
			return true;
	}
	return false;
}

/* Opens array @id of the host for step *i. Where pahole made one dimension of what the
 * program has as several, their indices are taken together: *i moves on, *index is the
 * sum, and @at->times what is left of the dimensions. False when the inner ones cannot be
 * the same. */
static bool flatten(const struct core_spec *spec, struct core_at *at, u32 id, u32 *i,
		    u64 *index)
{
	const struct btf_array_info *a = btf_array(btf_type(at->btf, id));
	u32 elem = btf_skip_mods(at->btf, a->type), own = spec->steps[*i].type;
	u64 inner = 1, rest;

	*index = spec->steps[*i].index;
	if (btf_kind(btf_type(at->btf, elem)) == BTF_ARRAY)
		return true;
	while (*i + 1 < spec->nsteps && !spec->steps[*i + 1].name) {
		const struct btf_type *t =
			btf_type(spec->btf, btf_skip_mods(spec->btf, own));

		inner *= btf_array(t)->nelems;
		*index = *index * btf_array(t)->nelems + spec->steps[++*i].index;
		own = spec->steps[*i].type;
		if (!inner || inner > UINT32_MAX || *index > UINT32_MAX)
			return false;
	}
	btf_flat_array(spec->btf, btf_skip_mods(spec->btf, own), &rest);
	*index *= rest;
	inner *= rest;
	at->times = (u32)rest;
	return rest && inner <= UINT32_MAX && *index <= UINT32_MAX && a->nelems % inner == 0;
}

static bool follow_index(const struct core_spec *spec, struct core_at *at, u32 *i)
{
	u32 id = btf_skip_mods(at->btf, at->type), size;
	const struct btf_type *t = btf_type(at->btf, id);
	u64 index;

	if (btf_kind(t) != BTF_ARRAY || !flatten(spec, at, id, i, &index) ||
	    !core_index_ok(at->btf, at, id, (u32)index))
		return false;
	at->type = btf_array(t)->type;
	at->owner = 0;
	return btf_size(at->btf, at->type, &size) &&
	       core_add_index(&at->bit, (u32)index, size);
}

static bool follow_name(struct question *q, struct core_at *at, const struct core_step *step)
{
	u32 id = btf_skip_mods(at->btf, at->type);

	return btf_is_composite(btf_type(at->btf, id)) &&
	       find_member(q, at, id, at->bit, step) &&
	       core_fields_fit(q->local, step->type, at->btf, at->type);
}

static bool follow_field(struct question *q, struct core_at *at)
{
	const struct core_spec *spec = &q->spec;
	u32 size;

	if (!btf_size(at->btf, at->type, &size) ||
	    !core_add_index(&at->bit, spec->steps[0].index, size))
		return false;
	for (u32 i = 1; i < spec->nsteps; i++) {
		const struct core_step *step = &spec->steps[i];

		if (!(step->name ? follow_name(q, at, step) : follow_index(spec, at, &i)))
			return false;
	}
	return true;
}

static bool same_essential(const char *a, const char *b)
{
	size_t n = btf_essential_len(a);

	return n == btf_essential_len(b) && !strncmp(a, b, n);
}

/* The number of enumerator @i; narrow ones are extended as their enum is signed. */
static s64 enumerator_value(const struct btf_type *t, u32 i)
{
	if (btf_kind(t) == BTF_ENUM64)
		return (s64)((u64)btf_enumerators64(t)[i].hi << 32 |
			     btf_enumerators64(t)[i].lo);
	return btf_kflag(t) ? (s64)btf_enumerators(t)[i].val :
			      (s64)(u32)btf_enumerators(t)[i].val;
}

static const char *enumerator_name(const struct btf *btf, const struct btf_type *t, u32 i)
{
	return btf_str(btf, btf_kind(t) == BTF_ENUM64 ? btf_enumerators64(t)[i].name_off :
							btf_enumerators(t)[i].name_off);
}

static bool follow_enumval(struct question *q, struct core_at *at)
{
	const struct btf_type *t = btf_type(at->btf, btf_skip_mods(at->btf, at->type));
	const char *name = q->spec.steps[0].name;

	if (btf_kind(t) != BTF_ENUM && btf_kind(t) != BTF_ENUM64)
		return false;
	for (u32 i = 0; i < btf_vlen(t); i++) {
		if (!same_essential(enumerator_name(at->btf, t, i), name))
			continue;
		at->value = enumerator_value(t, i);
		return true;
	}
	return false;
}

static bool follow_type(struct question *q, struct core_at *at)
{
	bool (*fits)(const struct btf *, u32, const struct btf *, u32) = core_types_fit;

	if (q->relo->kind == CORE_TYPE_MATCHES)
		fits = core_types_match;
	return fits(q->local, q->spec.root, at->btf, at->type);
}

static bool follow(struct question *q, struct core_at *at)
{
	switch (q->spec.subject) {
	case CORE_FIELD:
		return follow_field(q, at);
	case CORE_TYPE:
		return follow_type(q, at);
	case CORE_ENUMVAL:
		return follow_enumval(q, at);
	}
	return false;
}

/* --- from a place to a number --- */

/* The bytes to load: the field's own, or a bitfield's naturally aligned unit, which grows
 * until all bits are in it. */
struct unit {
	u64 off;	/* bytes */
	u32 size;	/* bytes */
	u32 bits;
	bool is_signed;
};

static bool is_signed(const struct core_at *at)
{
	const struct btf_type *t = btf_type(at->btf, btf_skip_mods(at->btf, at->type));

	if (btf_kind(t) == BTF_INT)
		return btf_int_signed(t);
	return (btf_kind(t) == BTF_ENUM || btf_kind(t) == BTF_ENUM64) && btf_kflag(t);
}

static u32 bitfield_bits(const struct core_at *at)
{
	const struct btf_type *t;

	if (!at->owner)
		return 0;
	t = btf_type(at->btf, at->owner);
	return btf_member_bits(t, &btf_members(t)[at->member]);
}

static bool find_unit(const struct core_at *at, struct unit *u)
{
	*u = (struct unit){.bits = bitfield_bits(at), .is_signed = is_signed(at)};
	if (!btf_size(at->btf, at->type, &u->size))
		return false;
	u->size *= at->times ? at->times : 1;
	if (!u->bits) {
		u->off = at->bit / 8;
		u->bits = u->size * 8;
		return at->bit % 8 == 0;
	}
	for (; u->size && u->size <= 8; u->size *= 2) {
		u->off = at->bit / 8 / u->size * u->size;
		if (at->bit + u->bits <= (u->off + u->size) * 8)
			return true;
	}
	return false;
}

static bool field_value(u32 kind, const struct core_at *at, u64 *value)
{
	struct unit u;

	if (kind == CORE_FIELD_EXISTS)
		return *value = 1, true;
	if (!find_unit(at, &u))
		return false;
	switch (kind) {
	case CORE_FIELD_BYTE_OFFSET:
		*value = u.off;
		return true;
	case CORE_FIELD_BYTE_SIZE:
		*value = u.size;
		return true;
	case CORE_FIELD_SIGNED:
		*value = u.is_signed;
		return true;
	case CORE_FIELD_LSHIFT_U64:
		*value = 64 - (at->bit + u.bits - u.off * 8);
		return u.bits && *value < 64;
	case CORE_FIELD_RSHIFT_U64:
		*value = 64 - u.bits;
		return u.bits && *value < 64;
	}
	return false;
}

static bool value_at(u32 kind, const struct core_at *at, u64 *value)
{
	u32 size;

	switch (kind) {
	case CORE_TYPE_ID_LOCAL:
	case CORE_TYPE_ID_TARGET:
		*value = at->type;
		return true;
	case CORE_TYPE_EXISTS:
	case CORE_TYPE_MATCHES:
	case CORE_ENUMVAL_EXISTS:
		*value = 1;
		return true;
	case CORE_TYPE_SIZE:
		if (!btf_size(at->btf, at->type, &size))
			return false;
		*value = size;
		return true;
	case CORE_ENUMVAL_VALUE:
		*value = (u64)at->value;
		return true;
	default:
		return field_value(kind, at, value);
	}
}

/* --- load width --- */

static enum btf_kind kind_at(const struct core_at *at)
{
	return btf_kind(btf_type(at->btf, btf_skip_mods(at->btf, at->type)));
}

/* How an access of the program's field becomes one of the host's. */
static void set_width(const struct core_at *local, const struct core_at *at,
		      struct core_result *res)
{
	bool ints = kind_at(local) == BTF_INT && kind_at(at) == BTF_INT;
	bool sign = is_signed(local);

	btf_size(local->btf, local->type, &res->mem_local);
	btf_size(at->btf, at->type, &res->mem_size);
	res->mem_signed = ints && sign && is_signed(at);
	res->mem_exact = res->mem_local != res->mem_size &&
			 (!ints || sign != is_signed(at)) &&
			 !(kind_at(local) == BTF_PTR && kind_at(at) == BTF_PTR);
}

static bool same_answer(const struct core_result *a, const struct core_result *b)
{
	return a->poison == b->poison && a->value == b->value && a->btf == b->btf &&
	       a->mem_size == b->mem_size && a->mem_signed == b->mem_signed &&
	       a->mem_exact == b->mem_exact;
}

static int take_answer(struct question *q, const struct core_at *at)
{
	struct core_result res = {.local = q->out->local, .local_known = q->out->local_known};

	if (!value_at(q->relo->kind, at, &res.value))
		res.poison = true;
	if (q->relo->kind == CORE_FIELD_BYTE_OFFSET && !res.poison)
		set_width(&q->spec.at, at, &res);
	if (q->relo->kind == CORE_TYPE_ID_TARGET)
		res.btf = at->btf;
	if (q->answers++ && !same_answer(q->out, &res))
		return fail(q, "ambiguous: types of that name in the host give different answers");
	*q->out = res;
	return 0;
}

/* --- candidates --- */

static int try_candidate(struct question *q, const struct btf *target, u32 id)
{
	struct core_at at = {.btf = target, .type = id};

	if (!core_kinds_fit(btf_type(q->local, q->spec.root), btf_type(target, id)))
		return 0;
	q->candidates++;
	return follow(q, &at) ? take_answer(q, &at) : 0;
}

/* Those of @target itself, not of its base. */
static int try_target(struct question *q, const struct btf *target, const char *name,
		      size_t len)
{
	u32 id = 0;

	while ((id = btf_find_essential(target, id, name, len)))
		TRY(try_candidate(q, target, id));
	return 0;
}

static int try_all(struct question *q, const struct btf *const *targets, u32 n)
{
	const char *name = btf_type_name(q->local, q->spec.root);
	size_t len = btf_essential_len(name);

	for (u32 i = 0; i < n; i++) {
		TRY(try_target(q, targets[i], name, len));
		if (!i && q->candidates)
			break;
	}
	return 0;
}

/* What the program would compute by its own types. */
static int set_local(struct question *q)
{
	struct core_at *at = &q->spec.at;
	u32 kind = q->relo->kind;

	if (q->spec.subject == CORE_ENUMVAL) {
		const struct btf_type *t =
			btf_type(q->local, btf_skip_mods(q->local, q->spec.root));

		at->value = enumerator_value(t, q->spec.raw[0]);
	}
	if (!value_at(kind, at, &q->out->local))
		return fail(q, "the program's own type has no such value");
	/* Linkers renumber types, and compilers choose a bitfield's unit as they like. */
	q->out->local_known = kind != CORE_TYPE_ID_LOCAL && kind != CORE_TYPE_ID_TARGET &&
			      !bitfield_bits(at);
	return 0;
}

static void answer_absent(struct question *q)
{
	static const u32 zero = BIT(CORE_FIELD_EXISTS) | BIT(CORE_TYPE_ID_TARGET) |
				BIT(CORE_TYPE_EXISTS) | BIT(CORE_TYPE_SIZE) |
				BIT(CORE_ENUMVAL_EXISTS) | BIT(CORE_TYPE_MATCHES);

	q->out->poison = !(BIT(q->relo->kind) & zero);
}

int core_resolve(struct log *log, const struct btf *local, const struct core_relo *relo,
		 const struct btf *const *targets, u32 ntargets, struct core_result *out)
{
	struct question q = {
		.log = log, .local = local, .relo = relo, .budget = CORE_BUDGET, .out = out,
	};
	const char *why;

	*out = (struct core_result){0};
	if (!core_spec_read(local, relo, &q.spec, &why))
		return fail(&q, why);
	TRY(set_local(&q));
	if (relo->kind == CORE_TYPE_ID_LOCAL) {
		out->value = relo->type_id;
		return 0;
	}
	if (!btf_type(local, relo->type_id)->name_off)
		return fail(&q, "the type has no name to look for");
	TRY(try_all(&q, targets, ntargets));
	if (!q.answers)
		answer_absent(&q);
	return 0;
}
