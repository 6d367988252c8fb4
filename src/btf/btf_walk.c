/* SPDX-License-Identifier: MIT
 *
 * btf_walk.c: what lies at an offset of a struct (rule book B15-B17, B35). Pure questions
 * about layout; what a pointer found there may be used for is the verifier's.
 *
 * Members may overlap (unions, and nothing forbids it of structs), so more than one may
 * answer; the first that fits wins. Trying them all can take exponential time on types
 * made for it, hence the budget: real types need a handful of steps.
 */
#include "btf/btf_impl.h"

enum { WALK_BUDGET = 1 << 16 };

static const char why_beyond[] = "beyond the end of the struct";
static const char why_hole[] = "no member there";
static const char why_cross[] = "crosses the end of a member";
static const char why_budget[] = "the type is too complex";

struct walk {
	const struct btf *btf;
	u32 size; /* of the access */
	bool flex;
	u32 budget;
	bool again;   /* a member that is there was not fit */
	bool partial; /* a part of a bitfield will do */
	struct btf_at *at;
	const char *why;
};

/* Where a step stands: @rel bytes of the access's start past @start, which is counted
 * from the outermost struct. */
struct place {
	u32 owner, member;
	u32 base; /* of the owner */
	u32 start, rel;
	bool in_union;
};

static bool walk_struct(struct walk *w, u32 id, struct place p);

static bool miss(struct walk *w, const char *why)
{
	if (w->why != why_cross && w->why != why_budget)
		w->why = why;
	return false;
}

static bool spend(struct walk *w)
{
	if (w->budget--)
		return true;
	w->budget = 0;
	return miss(w, why_budget);
}

static bool is_pointer(const struct btf *btf, u32 id)
{
	return btf_kind(btf_type(btf, btf_skip_mods(btf, id))) == BTF_PTR;
}

static bool is_flexible(const struct btf *btf, u32 type)
{
	const struct btf_type *t = btf_type(btf, btf_skip_mods(btf, type));

	return btf_kind(t) == BTF_ARRAY && !btf_array(t)->nelems;
}

/* Steps into the element of array @id that p->rel lies in; false for elements without
 * size. @room: bytes from there to the end of the array. */
static bool open_array(const struct btf *btf, u32 *id, struct place *p, u32 *index, u64 *room)
{
	const struct btf_array_info *a = btf_array(btf_type(btf, *id));
	u64 n = a->nelems ? a->nelems : UINT32_MAX;
	u32 size, i;

	if (!btf_size(btf, a->type, &size) || !size)
		return false;
	i = p->rel / size;
	*room = n * size - p->rel;
	*index = *index * a->nelems + i;
	p->start += i * size;
	p->rel %= size;
	*id = a->type;
	return true;
}

/* A scalar, pointer or enum of type @id. @room: bytes of the access's member from here. */
static bool walk_leaf(struct walk *w, u32 id, struct place p, u32 index, u64 room)
{
	u32 size;

	if (!btf_size(w->btf, id, &size))
		return miss(w, why_hole);
	if (is_pointer(w->btf, id) || room < size)
		room = size - p.rel;
	if (w->size > room) {
		if (w->why != why_cross)
			*w->at = (struct btf_at){
				.owner = p.owner, .member = p.member, .off = p.base,
			};
		return miss(w, why_cross);
	}
	*w->at = (struct btf_at){
		.type = id, .off = p.start, .size = size, .owner = p.owner,
		.member = p.member, .in_union = p.in_union, .index = index,
	};
	return true;
}

static bool walk_type(struct walk *w, u32 id, struct place p)
{
	u64 room = 0, whole = 0;
	u32 index = 0, inner;

	if (!spend(w))
		return false;
	for (;;) {
		const struct btf_type *t;

		inner = btf_skip_mods(w->btf, id);
		t = btf_type(w->btf, inner);
		if (btf_is_composite(t))
			return walk_struct(w, inner, p);
		if (btf_kind(t) != BTF_ARRAY)
			return walk_leaf(w, id, p, index, whole);
		if (!open_array(w->btf, &inner, &p, &index, &room))
			return miss(w, why_hole);
		whole = room > whole ? room : whole;
		id = inner;
	}
}

/* Bytes around bitfields of @t may be read with them, if they are numbers. @from: 1 + the
 * member that they begin in, as far as they do. */
static bool may_cover(const struct walk *w, const struct btf_type *t, struct place p,
		      u32 *from)
{
	for (u32 i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		u32 start = btf_member_bit(t, m) / 8, size;
		u32 type = btf_skip_mods(w->btf, m->type);
		enum btf_kind kind = btf_kind(btf_type(w->btf, type));
		bool number = kind == BTF_INT || kind == BTF_ENUM || kind == BTF_ENUM64;

		if (btf_member_bits(t, m) || !btf_size(w->btf, type, &size))
			continue;
		if (start >= (u64)p.rel + w->size || (u64)start + size <= p.rel)
			continue;
		if (!number)
			return false;
		if (start <= p.rel)
			*from = i + 1;
	}
	return true;
}

/* Bitfields are read as the whole bytes they lie in, alone or with their neighbours. */
static bool walk_bitfield(struct walk *w, const struct btf_type *t,
			  const struct btf_member *m, struct place p, u32 bit, u32 bits)
{
	u64 first = bit / 8, end = ((u64)bit + bits + 7) / 8;
	u64 off = p.rel, off_end = off + w->size;
	bool covers = off <= first && end <= off_end && off_end <= t->size;
	bool within = first <= off && off_end <= end;
	u32 from = 0;

	if (!covers && !(within && w->partial))
		return false;
	if (covers && !within && !may_cover(w, t, p, &from))
		return false;
	*w->at = (struct btf_at){
		.type = m->type, .off = p.start + (u32)first, .size = (u32)(end - first),
		.owner = p.owner, .member = p.member, .in_union = p.in_union,
		.bitfield = true, .from = from, .lenient = !covers,
	};
	return true;
}

static bool walk_member(struct walk *w, const struct btf_type *t, u32 i, struct place p)
{
	const struct btf_member *m = &btf_members(t)[i];
	u32 bit = btf_member_bit(t, m), bits = btf_member_bits(t, m), size;

	p.member = i;
	if (bits)
		return walk_bitfield(w, t, m, p, bit, bits);
	if (p.rel < bit / 8 || !btf_size(w->btf, m->type, &size))
		return false;
	if (p.rel - bit / 8 >= size)
		return false;
	p.start += bit / 8;
	p.rel -= bit / 8;
	if (walk_type(w, m->type, p))
		return true;
	w->again = true;
	return false;
}

/* The flexible array at the end, which goes on where the struct ends. */
static bool walk_tail(struct walk *w, const struct btf_type *t, struct place p)
{
	const struct btf_member *m;
	u32 off;

	if (!w->flex || btf_kind(t) != BTF_STRUCT || !btf_vlen(t))
		return false;
	p.member = btf_vlen(t) - 1;
	m = &btf_members(t)[p.member];
	off = btf_member_bit(t, m) / 8;
	if (!is_flexible(w->btf, m->type) || p.rel < off)
		return false;
	p.start += off;
	p.rel -= off;
	return walk_type(w, m->type, p);
}

/* Nothing ends where the access does: it may lie inside a bitfield. */
static bool walk_partial(struct walk *w, const struct btf_type *t, struct place p)
{
	bool found = false;

	w->partial = true;
	for (u32 i = 0; i < btf_vlen(t) && !found; i++)
		found = btf_member_bits(t, &btf_members(t)[i]) && spend(w) &&
			walk_member(w, t, i, p);
	w->partial = false;
	return found;
}

static bool walk_struct(struct walk *w, u32 id, struct place p)
{
	const struct btf_type *t = btf_type(w->btf, id);

	p.owner = id;
	p.base = p.start;
	p.in_union |= btf_kind(t) == BTF_UNION && btf_vlen(t) > 1;
	for (u32 i = 0; i < btf_vlen(t); i++)
		if (spend(w) && walk_member(w, t, i, p))
			return true;
	return walk_tail(w, t, p) || walk_partial(w, t, p) || miss(w, why_hole);
}

bool btf_walk(const struct btf *btf, u32 id, u32 off, u32 size, bool flex,
	      struct btf_at *at, const char **why)
{
	struct walk w = {.btf = btf, .size = size, .flex = flex, .budget = WALK_BUDGET, .at = at};
	u32 total;

	*at = (struct btf_at){0};
	id = btf_skip_mods(btf, id);
	if (!btf_is_composite(btf_type(btf, id)) || !size)
		return *why = why_hole, false;
	btf_size(btf, id, &total);
	if (walk_struct(&w, id, (struct place){.rel = off})) {
		at->lenient |= w.again;
		return true;
	}
	*why = add_fits(off, size, total) || w.why == why_budget ? w.why : why_beyond;
	return false;
}

/* --- structs at offsets --- */

static const struct btf *home(const struct btf *btf, u32 id)
{
	while (id && id < btf_start(btf))
		btf = btf_base(btf);
	return id ? btf : NULL;
}

bool btf_same_type(const struct btf *a, u32 id_a, const struct btf *b, u32 id_b)
{
	return id_a == id_b && home(a, id_a) == home(b, id_b);
}

struct search {
	const struct btf *a, *b;
	u32 want;
	u32 budget;
};

static bool struct_within(struct search *s, u32 id, u32 off);

/* What is wanted may be @type itself, an element of it, or deeper in. */
static bool struct_in_type(struct search *s, u32 type, u32 off, bool tail)
{
	u32 id = btf_skip_mods(s->a, type), size;
	const struct btf_type *t = btf_type(s->a, id);

	while (btf_kind(t) == BTF_ARRAY) {
		if (!btf_size(s->a, btf_array(t)->type, &size) || !size)
			return false;
		if (!tail && off / size >= btf_array(t)->nelems)
			return false;
		tail = false;
		off %= size;
		id = btf_skip_mods(s->a, btf_array(t)->type);
		t = btf_type(s->a, id);
	}
	if (!btf_is_composite(t))
		return false;
	return (!off && btf_same_type(s->a, id, s->b, s->want)) || struct_within(s, id, off);
}

/* A union of more than one member does not say which one is there: not entered. */
static bool struct_within(struct search *s, u32 id, u32 off)
{
	const struct btf_type *t = btf_type(s->a, id);
	const struct btf_member *m = btf_members(t);
	u32 n = btf_vlen(t);

	if (btf_kind(t) == BTF_UNION && n > 1)
		return false;
	for (u32 i = 0; i < n && s->budget; i++, s->budget--) {
		u32 start = btf_member_bit(t, &m[i]) / 8, size;
		bool tail = i + 1 == n && is_flexible(s->a, m[i].type);

		if (btf_member_bits(t, &m[i]) || start > off)
			continue;
		if (!btf_size(s->a, m[i].type, &size) || (off - start >= size && !tail))
			continue;
		if (struct_in_type(s, m[i].type, off - start, tail))
			return true;
	}
	return false;
}

bool btf_struct_at(const struct btf *a, u32 id, u32 off, const struct btf *b, u32 want,
		   bool strict)
{
	struct search s = {a, b, want, WALK_BUDGET};

	if (!off && btf_same_type(a, id, b, want))
		return true;
	if (strict || !btf_is_composite(btf_type(a, id)))
		return false;
	return struct_within(&s, id, off);
}
