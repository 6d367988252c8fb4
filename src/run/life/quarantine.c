/* SPDX-License-Identifier: MIT
 *
 * quarantine.c: see quarantine.h. Everything here is of one thread at a time.
 */
#include "run/life/quarantine.h"

static struct bag oldest(struct quarantine *q)
{
	struct bag bag = q->closed[0];

	q->closed[0] = q->closed[1];
	q->closed[1] = (struct bag){0};
	q->nclosed--;
	q->due -= q->due > 0;
	return bag;
}

struct bag quarantine_ripe(struct quarantine *q)
{
	struct bag ripe = {0};

	while (q->nclosed && epoch_passed(q->closed[0].stamp)) {
		struct bag bag = oldest(q);

		bag_join(&ripe, &bag);
	}
	return ripe;
}

static void close_open(struct quarantine *q)
{
	q->open.stamp = epoch_stamp();
	q->closed[q->nclosed++] = q->open;
	q->open = (struct bag){0};
}

struct bag quarantine_turn(struct quarantine *q, u32 most)
{
	struct bag ripe = quarantine_ripe(q), more;
	bool waits = q->nclosed;

	if (q->open.n && q->nclosed < QUARANTINE_CLOSED)
		close_open(q);
	if (waits)
		epoch_advance();
	more = quarantine_ripe(q);
	bag_join(&ripe, &more);
	q->limit = q->open.n + quarantine_batch(most);
	return ripe;
}

bool quarantine_close(struct quarantine *q)
{
	if (q->open.n && q->nclosed < QUARANTINE_CLOSED)
		close_open(q);
	if (q->open.n) { /* those of the newest wait a little longer */
		struct bag *newest = &q->closed[q->nclosed - 1];

		bag_join(newest, &q->open);
		newest->stamp = epoch_stamp();
		q->open = (struct bag){0};
	}
	q->due = q->nclosed;
	return q->due;
}

struct bag quarantine_take(struct quarantine *q)
{
	struct bag all = {0};

	while (q->due) {
		struct bag bag = oldest(q);

		bag_join(&all, &bag);
	}
	return all;
}
