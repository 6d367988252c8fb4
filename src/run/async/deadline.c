/* SPDX-License-Identifier: MIT
 *
 * deadline.c: timers by when they are due: a heap of four children a node, in pages.
 *
 * Invariants: entry i is not due before entry (i - 1) / 4; timer->place is the index of
 * its entry. Among those due at the same time, who was started first is first. There is
 * room for every timer that was made, so that starting one takes no memory. Adding and
 * removing cost O(log n).
 */
#include "run/async/async.h"

enum { PAGE = 1024, CHILDREN = 4 };

static struct deadline *entry(const struct deadlines *due, u32 i)
{
	return &due->pages[i / PAGE][i % PAGE];
}

static bool before(const struct deadline *a, const struct deadline *b)
{
	return a->at != b->at ? a->at < b->at : a->timer->seq < b->timer->seq;
}

static void put(struct deadlines *due, u32 i, struct deadline d)
{
	*entry(due, i) = d;
	d.timer->place = i;
}

static void sift_up(struct deadlines *due, u32 i, struct deadline d)
{
	while (i && before(&d, entry(due, (i - 1) / CHILDREN))) {
		put(due, i, *entry(due, (i - 1) / CHILDREN));
		i = (i - 1) / CHILDREN;
	}
	put(due, i, d);
}

/* The child of @i that is due first, or 0. */
static u32 first_child(const struct deadlines *due, u32 i)
{
	u64 from = (u64)i * CHILDREN + 1, best = from;

	if (from >= due->n)
		return 0;
	for (u64 c = from + 1; c < from + CHILDREN && c < due->n; c++)
		if (before(entry(due, (u32)c), entry(due, (u32)best)))
			best = c;
	return (u32)best;
}

static void sift_down(struct deadlines *due, u32 i, struct deadline d)
{
	u32 c;

	while ((c = first_child(due, i)) && before(entry(due, c), &d)) {
		put(due, i, *entry(due, c));
		i = c;
	}
	put(due, i, d);
}

static int grow_table(struct deadlines *due)
{
	u32 room = due->room ? due->room * 2 : 4;
	struct deadline **pages = realloc(due->pages, room * sizeof(pages[0]));

	if (!pages)
		return -ENOMEM;
	due->pages = pages;
	due->room = room;
	return 0;
}

int deadlines_reserve(struct deadlines *due, u32 n)
{
	while ((u64)due->npages * PAGE < n) {
		if (due->npages == due->room)
			TRY(grow_table(due));
		due->pages[due->npages] = malloc(PAGE * sizeof(struct deadline));
		if (!due->pages[due->npages])
			return -ENOMEM;
		due->npages++;
	}
	return 0;
}

void deadlines_add(struct deadlines *due, struct async *timer)
{
	sift_up(due, due->n++, (struct deadline){timer->deadline, timer});
}

void deadlines_remove(struct deadlines *due, struct async *timer)
{
	u32 i = timer->place;
	struct deadline last = *entry(due, --due->n);

	if (i == due->n)
		return;
	if (i && before(&last, entry(due, (i - 1) / CHILDREN)))
		sift_up(due, i, last);
	else
		sift_down(due, i, last);
}

struct async *deadlines_first(const struct deadlines *due)
{
	return due->n ? entry(due, 0)->timer : NULL;
}

void deadlines_free(struct deadlines *due)
{
	for (u32 i = 0; i < due->npages; i++)
		free(due->pages[i]);
	free(due->pages);
	*due = (struct deadlines){0};
}
