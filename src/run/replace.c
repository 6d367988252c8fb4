/* SPDX-License-Identifier: MIT
 *
 * replace.c: one object takes the place of another while calls run.
 *
 * The new object is loaded beside the old one, with its maps where they are the same
 * (load.c, keep.c). What every link will be is planned in the links themselves, and all
 * memory is taken. From there on nothing fails, but for a host that refuses a table:
 *
 *	1  every hook gets a list of two sides; so do program arrays of other objects, and
 *	   places of tables of operations. A host that keeps tables itself is told; when it
 *	   refuses one, all this is taken back
 *	2  one store: calls from outside are on the new side
 *	3  a grace period: whoever is on the old side, or was there before step 1, ends; then
 *	   one store: who is on no side is on the new one
 *	4  every hook gets its new list
 *	5  a grace period; the arrays get the new programs
 *	6  the old object is closed
 *
 * Every hook that has programs is in it, also those of other objects: a call that begins
 * there may come to this object by a hook inside or by a tail call, and must be on one side
 * then, too.
 *
 * Guarantees
 *  R-A: a call from outside of runs that begins after step 1 notes its side in its slot.
 *       What is called inside of it finds it there.
 *  R-B: a run that has no side began before step 1, and all of it is old, because the stores
 *       of step 3 wait for it; or it was started by pintle_prog_run(), and each call of a
 *       hook inside of it takes a side of its own; or it began with a list of step 4, and
 *       all that it finds is new, because the store of step 3 was before.
 *  R-C: a call from outside of runs that begins after somebody saw the new side is on it: the
 *       store of step 2 releases and choosing acquires; lists of two sides were there before,
 *       and lists of step 4 are new. Calls inside of runs that have no side (R-B) are on the
 *       old one until step 3, whatever they were told.
 *
 * Tables of operations are places of their own kind: ops_swap.c.
 */
#include "run/hook.h"
#include "run/map/outer.h"
#include "run/ops/ops.h"

struct place { /* a hook while its programs are replaced */
	struct hook *hook;
	struct hook_list *sides, *before, *after; /* sides: NULL until it is made */
};

struct replacing {
	struct pintle_host *host;
	struct pintle_object *old, *new;
	struct pintle_replace_opts opts;
	struct swap *swap;
	struct place *places;
	u32 nplaces;
	struct ops_places tables;
	bool was_attached;
};

/* ------------------------------------------------------------------ the plan */

static struct pintle_prog *successor_of(const struct replacing *r, const struct pintle_prog *prog)
{
	struct pintle_prog *next = pintle_prog_find(r->new, prog->image->name);

	return next && next->code ? next : NULL;
}

static int plan_new_link(struct replacing *r, struct hook *hook, struct pintle_prog *prog,
			 s32 priority, u64 cookie)
{
	struct pintle_link *link = calloc(1, sizeof(*link));

	if (!link)
		return host_oom(r->host);
	*link = (struct pintle_link){.hook = hook, .prog = prog, .move = LINK_COMES,
				     .priority = priority, .cookie = cookie, .owned = true};
	link_insert(link);
	return 0;
}

static int plan_link(struct replacing *r, struct pintle_link *link)
{
	struct pintle_prog *next = successor_of(r, link->prog);
	int err;

	r->was_attached = true;
	if (!next) {
		link->move = LINK_GOES;
		return 0;
	}
	err = link_fits(next, link->hook);
	if (!err) {
		link->to = next;
		return 0;
	}
	if (!link->owned || !hook_of(next))
		return err;
	link->move = LINK_GOES;
	return plan_new_link(r, hook_of(next), next, link->priority, link->cookie);
}

/* Links that come are of the new object: they are passed over. */
static int plan_links(struct replacing *r)
{
	for (u32 i = 0; i < r->host->hooks.n; i++)
		for (struct pintle_link *l = r->host->hooks.v[i]->links; l; l = l->next)
			if (l->prog->object == r->old)
				TRY(plan_link(r, l));
	return 0;
}

static int plan_new_programs(struct replacing *r)
{
	for (u32 i = 0; r->was_attached && i < r->new->image->nprogs; i++) {
		struct pintle_prog *prog = &r->new->progs[i];

		if (!prog->code || !hook_of(prog) ||
		    pintle_prog_find(r->old, prog->image->name))
			continue;
		TRY(plan_new_link(r, hook_of(prog), prog, 0, 0));
	}
	return 0;
}

/* The links as they were before (@done: as they are afterwards). */
static void settle_hook(struct hook *hook, bool done)
{
	struct pintle_link *next;

	for (struct pintle_link *l = hook->links; l; l = next) {
		enum link_move move = l->move;
		struct pintle_prog *to = l->to;

		next = l->next;
		l->move = LINK_STAYS;
		l->to = NULL;
		if (move == (done ? LINK_GOES : LINK_COMES)) {
			link_remove(l);
			link_bury(l);
		} else if (done && to) {
			l->prog->nlinks--;
			l->prog = to;
			l->prog->nlinks++;
		}
	}
}

static void settle(struct replacing *r, bool done)
{
	for (u32 i = 0; i < r->host->hooks.n; i++)
		settle_hook(r->host->hooks.v[i], done);
}

/* ------------------------------------------------------------------ what it takes */

static bool is_touched(const struct hook *hook)
{
	for (const struct pintle_link *l = hook->links; l; l = l->next)
		if (l->to || l->move != LINK_STAYS)
			return true;
	return false;
}

static int place_make(struct replacing *r, struct hook *hook, struct place *place)
{
	*place = (struct place){.hook = hook, .before = hook->list, .after = hook->list};
	if (is_touched(hook) && hook_list_make(hook, true, &place->after)) {
		place->after = hook->list;
		return host_oom(r->host);
	}
	if (!place->before && !place->after)
		return 0;
	place->sides = hook_list_of_sides(hook, r->swap);
	if (!place->sides)
		return host_oom(r->host);
	place->sides->sides[0] = place->before;
	place->sides->sides[1] = place->after;
	return 0;
}

static int places_make(struct replacing *r)
{
	u32 n = r->host->hooks.n;

	r->places = calloc(n + 1, sizeof(r->places[0]));
	if (!r->places)
		return host_oom(r->host);
	for (u32 i = 0; i < n; i++) {
		r->nplaces++;
		TRY(place_make(r, r->host->hooks.v[i], &r->places[i]));
	}
	return 0;
}

static void places_drop(struct replacing *r)
{
	ops_places_drop(&r->tables);
	for (u32 i = 0; i < r->nplaces; i++) {
		struct place *place = &r->places[i];

		if (place->after != place->before)
			free(place->after);
		free(place->sides);
	}
	free(r->places);
	free(r->swap);
}

/* ------------------------------------------------------------------ the switch */

/* They stay: runs may still be looking at them. */
static void successors_set(struct replacing *r)
{
	for (u32 i = 0; i < r->old->image->nprogs; i++)
		r->old->progs[i].successor = successor_of(r, &r->old->progs[i]);
}

/* Of program arrays by the same name. */
static void arrays_carry(struct replacing *r)
{
	for (u32 i = 0; i < r->new->image->nmaps; i++) {
		struct pintle_map *new = &r->new->maps[i];
		struct pintle_map *old = pintle_map_find(r->old, new->image->name);

		if (old && old->map && new->map && old->map->type == MAP_PROG_ARRAY &&
		    new->map->type == MAP_PROG_ARRAY)
			prog_array_carry(old->map, new->map, r->old);
	}
}

/* Both sides at once; what is only the old's is the caller's to free. */
static void places_open(struct replacing *r)
{
	for (u32 i = 0; i < r->nplaces; i++)
		if (r->places[i].sides)
			hook_publish(r->places[i].hook, r->places[i].sides);
}

static void places_close(struct replacing *r)
{
	for (u32 i = 0; i < r->nplaces; i++) {
		struct place *place = &r->places[i];

		if (!place->sides)
			continue;
		hook_publish(place->hook, place->after);
		defer_call(r->host, free, place->sides);
		if (place->before && place->before != place->after)
			defer_call(r->host, free, place->before);
	}
}

/* Nobody was told to be on the new side, but runs that began with a table of it are. */
static void switch_back(struct replacing *r)
{
	ops_places_back(&r->tables);
	for (u32 i = 0; i < r->nplaces; i++)
		if (r->places[i].sides)
			hook_publish(r->places[i].hook, r->places[i].before);
	prog_arrays_uncross(r->host, r->swap);
	grace_wait(r->host);
}

static int switch_over(struct replacing *r)
{
	struct swap *swap = r->swap;
	int err;

	prog_arrays_cross(r->host, swap); /* 1 */
	places_open(r);
	ops_places_open(&r->tables);
	err = ops_places_tell(&r->tables);
	if (err) {
		switch_back(r);
		return err;
	}
	/* release: R-C, R-B, pair with the acquires in hook.c */
	atomic_store_explicit(&swap->is_over, true, memory_order_release); /* 2 */
	grace_wait(r->host);						   /* 3 */
	atomic_store_explicit(&swap->settled, true, memory_order_release);
	places_close(r); /* 4 */
	ops_places_close(&r->tables);
	grace_wait(r->host); /* 5 */
	prog_arrays_crossed(r->host, swap);
	ops_places_end(&r->tables);
	settle(r, true);
	defer_call(r->host, free, swap);
	free(r->places);
	return 0;
}

/* ------------------------------------------------------------------ telling */

static void tell(const struct replacing *r, const char *kind, const char *name,
		 const char *what)
{
	struct pintle_change change = {.size = sizeof(change), .kind = kind, .name = name,
				       .what = what};

	r->opts.changed(r->opts.data, &change);
}

static void tell_maps(const struct replacing *r)
{
	for (u32 i = 0; i < r->new->image->nmaps; i++) {
		const struct pintle_map *map = &r->new->maps[i];
		bool was_there = pintle_map_find(r->old, map->image->name);

		if (map->map)
			tell(r, "map", map->image->name,
			     map->kept ? "kept" : was_there ? "fresh" : "new");
	}
	for (u32 i = 0; i < r->old->image->nmaps; i++) {
		const char *name = r->old->image->maps[i].name;

		if (r->old->maps[i].map && !pintle_map_find(r->new, name))
			tell(r, "map", name, "gone");
	}
}

static void tell_progs(const struct replacing *r)
{
	for (u32 i = 0; i < r->new->image->nprogs; i++) {
		const struct pintle_prog *prog = &r->new->progs[i];
		bool was_there = pintle_prog_find(r->old, prog->image->name);

		if (prog->code)
			tell(r, "program", prog->image->name,
			     was_there ? "replaced" : prog->nlinks ? "attached" : "loaded");
	}
	for (u32 i = 0; i < r->old->image->nprogs; i++)
		if (r->old->progs[i].code && !successor_of(r, &r->old->progs[i]))
			tell(r, "program", r->old->image->progs[i].name, "gone");
}

/* ------------------------------------------------------------------ all */

static int check(const struct replacing *r)
{
	struct pintle_host *host = r->host;

	if (r->old == r->new || r->new->host != host)
		return host_fail(host, -EINVAL, "%s: an object is replaced by another one of "
				 "the same host", r->old->image->name);
	if (!r->old->loaded)
		return host_fail(host, -EINVAL, "%s is not loaded", r->old->image->name);
	if (slot_current() || run_read_ongoing())
		return host_fail(host, -EBUSY, "%s: not inside of a run or read section: it "
				 "waits for those to end", r->old->image->name);
	return 0;
}

static int prepare(struct replacing *r)
{
	r->swap = calloc(1, sizeof(*r->swap));
	if (!r->swap)
		return host_oom(r->host);
	r->swap->number = ++r->host->swaps;
	r->swap->old = r->old;
	r->was_attached = ops_any_attached(r->old);
	TRY(plan_links(r));
	TRY(plan_new_programs(r));
	TRY(ops_places_make(&r->tables, r->old, r->new, r->was_attached, r->swap));
	return places_make(r);
}

/* All that must not be there when @err is returned. */
static int back_out(struct replacing *r, int err)
{
	places_drop(r);
	settle(r, false);
	object_unload(r->new);
	return err;
}

static int replace(struct replacing *r)
{
	const struct load_from from = {.old = r->old, .keep_data = r->opts.keep_data};
	struct pintle_load_opts load = r->old->how;
	int err;

	TRY(check(r));
	load.log_level = r->opts.log_level;
	TRY(object_load(r->new, &load, &from));
	err = prepare(r);
	if (err)
		return back_out(r, err);
	successors_set(r);
	arrays_carry(r);
	err = switch_over(r);
	if (err)
		return back_out(r, err);
	if (r->opts.changed) {
		tell_maps(r);
		tell_progs(r);
	}
	return 0;
}

int pintle_object_replace(struct pintle_object *old, struct pintle_object *new_,
			  const struct pintle_replace_opts *opts)
{
	struct replacing r = {.host = old->host, .old = old, .new = new_};
	int err, state;

	TRY(host_check(r.host));
	opts_copy(&r.opts, sizeof(r.opts), opts, opts ? opts->size : 0);
	config_begin(r.host, &state);
	err = replace(&r);
	config_end(r.host, state);
	if (!err && !r.opts.leave_old)
		pintle_close(r.old); /* 6 */
	defer_safe_point(r.host);
	return err;
}
