/* SPDX-License-Identifier: MIT
 *
 * stress_config.c: the one of the stress test's threads that configures, one at a time:
 * objects are loaded, attached, detached, replaced and closed; links made, moved on and
 * dropped, some after their program's object; tables of operations replaced and closed
 * while they are held; the socket served; statistics switched.
 */
#include "run/stress_run.h"

int took_record(void *data, void *sample, size_t size)
{
	const u64 *r = sample;

	if (size != 16 || r[0] != r[1])
		wrong(data, "a torn record");
	stress_did(H_RING);
	return 0;
}

/* ------------------------------------------------------------------ objects */

static void rings_close(void *data)
{
	struct live *live = data;

	pintle_ringbuf_close(live->ring);
	pintle_user_ringbuf_close(live->user_ring);
	free(live);
}

/* Where nothing is made to fail. */
static void failed(struct stress *s, const char *what)
{
	if (s->mode->fail || s->mode->opts.max_object_bytes)
		return;
	snprintf(s->words, sizeof(s->words), "%s: %s", what, pintle_host_error(s->host));
	wrong(s, s->words);
}

/* Opened, with programs that may be cut. */
static struct live *live_open(struct worker *w, enum kind kind)
{
	struct stress *s = w->s;
	struct live *live = calloc(1, sizeof(*live));
	struct pintle_prog *prog;

	if (!live)
		return NULL;
	live->object =
		pintle_open_mem(s->host, s->files[kind].data, s->files[kind].size, NULL);
	if (!live->object) {
		failed(s, "an object did not open");
		free(live);
		return NULL;
	}
	prog = pintle_prog_find(live->object, "metered");
	if (prog)
		pintle_prog_set_budget(prog, 1 + lot(w, 30), lot(w, 2) * 50000);
	return live;
}

static void live_drop(struct live *live)
{
	pintle_close(live->object);
	free(live);
}

static void rings_open(struct stress *s, struct live *live)
{
	live->ring = pintle_ringbuf_open(pintle_map_find(live->object, "ring"),
					 took_record, s);
	live->user_ring =
		pintle_user_ringbuf_open(pintle_map_find(live->object, "user_ring"));
}

static struct live *live_new(struct worker *w, enum kind kind)
{
	struct live *live = live_open(w, kind);

	if (!live)
		return NULL;
	if (pintle_load(live->object)) {
		failed(w->s, "an object did not load");
		live_drop(live);
		return NULL;
	}
	rings_open(w->s, live);
	stress_did(H_LOAD);
	if (!pintle_attach(live->object))
		stress_did(H_ATTACH);
	return live;
}

/* Waits for runs and sections, or leaves it to the library, inside of one. */
static void live_end(struct worker *w, struct live *live)
{
	struct pintle_host *host = w->s->host;

	if (lot(w, 2)) {
		pintle_close(live->object);
		stress_did(H_CLOSE);
		rings_close(live);
		return;
	}
	pintle_read_lock(host);
	pintle_close(live->object);
	stress_did(H_CLOSE_IN_SECTION);
	pintle_defer(host, rings_close, live);
	pintle_read_unlock(host);
}

static void look_cut(const struct live *live)
{
	struct pintle_prog_info info = {.size = sizeof(info)};
	struct pintle_prog *prog = pintle_prog_find(live->object, "metered");

	if (prog && !pintle_prog_info(prog, &info) && info.cut)
		stress_did(P_CUT);
}

static void publish(struct live **at, struct live *live)
{
	__atomic_store_n(at, live, __ATOMIC_RELEASE);
}

static struct live **some_place(struct worker *w)
{
	return &w->s->live[lot(w, NKINDS)][lot(w, STRESS_OBJECTS)];
}

static enum kind kind_of(const struct stress *s, struct live *const *at)
{
	return at < s->live[CALLS] ? MOVES : CALLS;
}

static void come_and_go(struct worker *w)
{
	struct live **at = some_place(w), *old = *at, *fresh;

	if (old && lot(w, 2)) {
		pintle_detach(old->object);
		stress_did(H_DETACH);
		if (!pintle_attach(old->object))
			stress_did(H_ATTACH);
		return;
	}
	fresh = live_new(w, kind_of(w->s, at));
	publish(at, fresh);
	if (!old)
		return;
	look_cut(old);
	live_end(w, old);
}

/* ------------------------------------------------------------------ replacement */

static void note_change(void *data, const struct pintle_change *change)
{
	if (!change->kind || !change->name || !change->what)
		wrong(data, "a change without words");
}

static int replace(struct worker *w, struct live *old, struct live *fresh, bool leave)
{
	return pintle_object_replace(old->object, fresh->object,
				     PINTLE_OPTS(pintle_replace_opts, .leave_old = leave,
						 .keep_data = lot(w, 2),
						 .changed = note_change, .data = w->s));
}

/* The old object is closed by it: nobody is to find it from here on. */
static void replace_unseen(struct worker *w, struct live **at, struct live *fresh)
{
	struct live *old = *at;

	publish(at, NULL);
	if (replace(w, old, fresh, false)) {
		failed(w->s, "an object was not replaced");
		live_drop(fresh);
		publish(at, old);
		return;
	}
	rings_close(old);
	rings_open(w->s, fresh);
	publish(at, fresh);
	stress_did(H_REPLACE);
}

/* Both are there for a while, with the same maps. */
static void replace_seen(struct worker *w, struct live **at, struct live *fresh)
{
	struct live *old = *at;

	if (replace(w, old, fresh, true)) {
		failed(w->s, "an object was not replaced");
		live_drop(fresh);
		return;
	}
	rings_open(w->s, fresh);
	publish(at, fresh);
	stress_did(H_REPLACE_LEAVE);
	live_end(w, old);
}

static void replace_one(struct worker *w)
{
	struct live **at = some_place(w), *fresh;

	if (!*at)
		return;
	fresh = live_open(w, kind_of(w->s, at));
	if (!fresh)
		return;
	look_cut(*at);
	(lot(w, 2) ? replace_unseen : replace_seen)(w, at, fresh);
}

/* ------------------------------------------------------------------ links */

static struct pintle_prog *some_linked(struct worker *w)
{
	struct live *live = w->s->live[CALLS][lot(w, STRESS_OBJECTS)];

	return live ? pintle_prog_find(live->object, lot(w, 2) ? "linked" : "linked_too")
		    : NULL;
}

static u64 some_cookie(struct worker *w)
{
	u64 half = lot(w, 1 << 30);

	return lot(w, 3) ? half << 32 | (~half & UINT32_MAX) : 0;
}

static void link_one(struct worker *w, struct pintle_link **at)
{
	struct pintle_prog *prog = some_linked(w);

	if (!prog)
		return;
	*at = pintle_link_attach(
		prog, PINTLE_OPTS(pintle_link_opts, .cookie = some_cookie(w),
				  .priority = (s32)lot(w, 5) - 2,
				  .hook = lot(w, 2) ? stress_link_hook : NULL));
	if (*at)
		stress_did(H_LINK);
	else
		failed(w->s, "a program was not linked");
}

static void unlink_one(struct pintle_link **at)
{
	pintle_link_detach(*at);
	*at = NULL;
	stress_did(H_UNLINK);
}

static void check_order(struct stress *s)
{
	struct pintle_link_info info = {.size = sizeof(info)};
	s32 before = INT32_MIN;

	for (struct pintle_link *l = NULL; (l = pintle_link_next(stress_link_hook, l));) {
		pintle_link_info(l, &info);
		if (info.priority < before || !info.prog)
			wrong(s, "links in the wrong order, or a dead one among them");
		before = info.priority;
	}
}

static void move_link(struct worker *w)
{
	struct pintle_link **at = &w->s->links[lot(w, STRESS_LINKS)];
	struct pintle_prog *next = some_linked(w),
			   *now = *at ? pintle_link_prog(*at) : NULL;
	int err;

	check_order(w->s);
	if (!*at) {
		link_one(w, at);
	} else if (!now) {
		if (next && pintle_link_update(*at, next, NULL) != -ENOLINK)
			wrong(w->s, "a dead link takes a program");
		stress_did(H_LINK_DEAD);
		unlink_one(at);
	} else if (!next || !lot(w, 3)) {
		unlink_one(at);
	} else {
		err = pintle_link_update(*at, next, lot(w, 2) ? next : NULL);
		if (err != (err ? -EPERM : 0) ||
		    pintle_link_prog(*at) != (err ? now : next))
			wrong(w->s, "a link is of another program than it should be");
		stress_did(H_LINK_UPDATE);
	}
}

/* ------------------------------------------------------------------ tables */

static void tables_new(struct worker *w, struct pintle_object **at)
{
	struct stress *s = w->s;

	*at = pintle_open_mem(s->host, s->tables.data, s->tables.size, NULL);
	if (*at && !pintle_load(*at))
		return;
	failed(s, "tables did not load");
	pintle_close(*at);
	*at = NULL;
}

static struct pintle_map *some_table(struct worker *w, struct pintle_object *ops)
{
	return pintle_map_find(ops, lot(w, 2) ? "plus" : "minus");
}

/* Whichever is attached, somebody may hold it, and the objects may be closed. */
static void move_table(struct worker *w)
{
	struct pintle_object **at = &w->s->ops[lot(w, STRESS_TABLES)],
			     **other = &w->s->ops[lot(w, STRESS_TABLES)];

	if (!*at) {
		tables_new(w, at);
		return;
	}
	switch (lot(w, 8)) {
	case 0:
		if (lot(w, 2))
			pintle_detach(*at);
		pintle_close(*at);
		*at = NULL;
		stress_did(H_TABLE_CLOSE);
		break;
	case 1:
		pintle_ops_detach(some_table(w, *at));
		break;
	case 2:
	case 3:
		if (!pintle_ops_attach(some_table(w, *at)))
			stress_did(H_TABLE_ATTACH);
		break;
	default:
		if (*other &&
		    !pintle_ops_replace(some_table(w, *at), some_table(w, *other)))
			stress_did(H_TABLE_REPLACE);
	}
}

/* ------------------------------------------------------------------ the rest */

static void serve(struct worker *w)
{
	int n = pintle_inspect_serve(w->s->host);

	if (n < 0)
		wrong(w->s, "the socket is not served");
	if (n > 0)
		stress_did(H_SERVE);
}

static void switch_stats(struct worker *w)
{
	if (!pintle_stats_enable(w->s->host, (enum pintle_stats)lot(w, 3)))
		stress_did(H_STATS);
}

static const struct {
	void (*does)(struct worker *w);
	u32 weight;
} doings[] = {
	{come_and_go, 8}, {replace_one, 8}, {move_link, 12},
	{move_table, 20}, {serve, 20},	    {switch_stats, 2},
};

void configure(struct worker *w)
{
	u32 at = lot(w, 70), i = 0;

	if (pthread_mutex_trylock(&w->s->operator_))
		return;
	while (at >= doings[i].weight)
		at -= doings[i++].weight;
	doings[i].does(w);
	pthread_mutex_unlock(&w->s->operator_);
}

/* Links that are left are dead then, and go with the host. */
void config_end_all(struct worker *w)
{
	struct stress *s = w->s;

	for (u32 i = 0; i < STRESS_LINKS; i++)
		if (s->links[i] && lot(w, 2))
			unlink_one(&s->links[i]);
	for (u32 k = 0; k < NKINDS; k++)
		for (u32 i = 0; i < STRESS_OBJECTS; i++)
			if (s->live[k][i])
				live_end(w, s->live[k][i]);
	for (u32 i = 0; i < STRESS_TABLES; i++)
		pintle_close(s->ops[i]);
}
