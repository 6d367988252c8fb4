/* SPDX-License-Identifier: MIT
 *
 * ops_swap.c: tables of operations while one object takes the place of another (replace.c).
 *
 * A table that is attached goes over to the new object's by the same name. Where the library
 * has the place (pintle_ops.active), that is of two sides meanwhile: who asks outside of any
 * run gets the table of the side that calls from outside are on, who asks inside of one that
 * of the run's side. Where the host has it (`many`, update()), it is told between step 1
 * and 2; it may refuse, and then everything is as it was.
 *
 * A call of a table's function from outside is on the side of that table (thunk.c), so that
 * hooks inside of it, tail calls and other tables are too. Who holds a table (pintle_ops_get())
 * goes on calling its programs, also when the replacement is over.
 *
 * Ordering: tables know the swap before they can be found: both stores release, and pair with
 * the acquires in thunk.c and pintle_ops_current().
 */
#include "run/hook.h"
#include "run/ops/ops.h"

struct ops_place {
	struct ops_type *type;
	struct ops_table *before, *after; /* NULL: none */
	struct ops_sides *sides;	  /* NULL: the place is the host's */
	const struct swap *swap;
	bool told; /* the host, of `after` */
};

bool ops_any_attached(const struct pintle_object *object)
{
	for (u32 i = 0; i < object->image->nmaps; i++) {
		const struct ops_table *t = ops_table_in(&object->maps[i]);

		if (t && t->attached)
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ the plan */

static struct ops_table *table_named(const struct pintle_object *object, const char *name)
{
	const struct pintle_map *map = pintle_map_find(object, name);

	return map ? ops_table_in(map) : NULL;
}

static struct ops_place *add(struct ops_places *p, struct ops_type *type,
			     const struct swap *swap)
{
	struct ops_place *place = &p->v[p->n++];

	*place = (struct ops_place){.type = type, .swap = swap};
	return place;
}

static int come(struct ops_place *place, struct ops_table *after)
{
	const struct pintle_ops_opts *opts = &place->type->opts;

	if (after->type != place->type)
		return ops_refuse(after, NULL, -EINVAL, "it is of another struct than before");
	TRY(ops_check_free(after));
	if (place->before && opts->reg && !opts->update)
		return ops_refuse(after, NULL, -EOPNOTSUPP, "the host does not replace tables");
	ops_now_attached(after);
	place->after = after;
	return 0;
}

/* Those that are attached now, and what takes their places. */
static int plan_old(struct ops_places *p, const struct pintle_object *old,
		    const struct pintle_object *new, const struct swap *swap)
{
	for (u32 i = 0; i < old->image->nmaps; i++) {
		struct ops_table *t = ops_table_in(&old->maps[i]), *next;
		struct ops_place *place;

		if (!t || !t->attached)
			continue;
		place = add(p, t->type, swap);
		place->before = t;
		next = table_named(new, t->map.name);
		if (next)
			TRY(come(place, next));
	}
	return 0;
}

/* The place of a type that can have one table only. */
static struct ops_place *place_of(struct ops_places *p, const struct ops_type *type)
{
	for (u32 i = 0; i < p->n; i++)
		if (p->v[i].type == type)
			return &p->v[i];
	return NULL;
}

static int plan_new_table(struct ops_places *p, struct ops_table *t, const struct swap *swap)
{
	struct ops_place *place = t->type->opts.many ? NULL : place_of(p, t->type);

	if (place ? place->after != NULL : !t->type->opts.many && t->type->handle->active)
		return ops_refuse(t, NULL, -EBUSY, "another table is attached: replace it");
	return come(place ? place : add(p, t->type, swap), t);
}

static int plan_new(struct ops_places *p, const struct pintle_object *old,
		    const struct pintle_object *new, const struct swap *swap)
{
	for (u32 i = 0; i < new->image->nmaps; i++) {
		struct ops_table *t = ops_table_in(&new->maps[i]);

		if (t && t->ready && !table_named(old, t->map.name))
			TRY(plan_new_table(p, t, swap));
	}
	return 0;
}

static int make_sides(struct pintle_host *host, struct ops_place *place)
{
	if (place->type->opts.many)
		return 0;
	place->sides = calloc(1, sizeof(*place->sides));
	if (!place->sides)
		return host_oom(host);
	*place->sides = (struct ops_sides){place->swap, {place->before, place->after}};
	return 0;
}

int ops_places_make(struct ops_places *p, const struct pintle_object *old,
		    const struct pintle_object *new, bool attach, const struct swap *swap)
{
	p->v = calloc(old->image->nmaps + new->image->nmaps + 1, sizeof(p->v[0]));
	if (!p->v)
		return host_oom(old->host);
	TRY(plan_old(p, old, new, swap));
	if (attach)
		TRY(plan_new(p, old, new, swap));
	for (u32 i = 0; i < p->n; i++)
		TRY(make_sides(old->host, &p->v[i]));
	return 0;
}

void ops_places_drop(struct ops_places *p)
{
	for (u32 i = 0; i < p->n; i++) {
		if (p->v[i].after)
			ops_not_attached(p->v[i].after);
		free(p->v[i].sides);
	}
	free(p->v);
}

/* ------------------------------------------------------------------ the switch */

static void note_swap(struct ops_table *t, const struct swap *swap)
{
	if (t)
		atomic_store_explicit(&t->swap, swap, memory_order_release);
}

static void put(struct ops_place *place, void *active)
{
	if (place->sides)
		__atomic_store_n(&place->type->handle->active, active, __ATOMIC_RELEASE);
}

static void *bytes_of(struct ops_table *t)
{
	return t ? t->bytes : NULL;
}

void ops_places_open(struct ops_places *p)
{
	for (u32 i = 0; i < p->n; i++) {
		struct ops_place *place = &p->v[i];

		note_swap(place->before, place->swap);
		note_swap(place->after, place->swap);
		put(place, (char *)place->sides + OPS_SIDES);
	}
}

static int tell(struct ops_place *place)
{
	const struct pintle_ops_opts *opts = &place->type->opts;
	int err = 0;

	if (place->before && opts->update)
		err = opts->update(opts->data, place->after->bytes, place->before->bytes);
	else if (!place->before && opts->reg)
		err = opts->reg(opts->data, place->after->bytes);
	place->told = !err;
	return err ? ops_refuse(place->after, NULL, err < 0 ? err : -EINVAL,
				"the host does not take it")
		   : 0;
}

int ops_places_tell(struct ops_places *p)
{
	for (u32 i = 0; i < p->n; i++)
		if (p->v[i].after)
			TRY(tell(&p->v[i]));
	return 0;
}

static void untell(const struct ops_place *place)
{
	const struct pintle_ops_opts *opts = &place->type->opts;

	if (place->before && opts->update)
		opts->update(opts->data, place->before->bytes, place->after->bytes);
	else if (!place->before && opts->unreg)
		opts->unreg(opts->data, place->after->bytes);
}

void ops_places_back(struct ops_places *p)
{
	for (u32 i = 0; i < p->n; i++) {
		if (p->v[i].told)
			untell(&p->v[i]);
		put(&p->v[i], bytes_of(p->v[i].before));
		note_swap(p->v[i].before, NULL);
	}
}

void ops_places_close(struct ops_places *p)
{
	for (u32 i = 0; i < p->n; i++) {
		struct ops_place *place = &p->v[i];
		const struct pintle_ops_opts *opts = &place->type->opts;

		put(place, bytes_of(place->after));
		if (!place->after && opts->unreg)
			opts->unreg(opts->data, place->before->bytes);
	}
}

void ops_places_end(struct ops_places *p)
{
	for (u32 i = 0; i < p->n; i++) {
		struct ops_place *place = &p->v[i];

		note_swap(place->before, NULL);
		note_swap(place->after, NULL);
		if (place->before)
			ops_not_attached(place->before);
		free(place->sides);
	}
	free(p->v);
}
