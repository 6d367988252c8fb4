/* SPDX-License-Identifier: MIT
 *
 * hook.h: what hook.c, link.c, replace.c and stats.c share: the library's side of a hook,
 * its attachments, and replacements under way.
 */
#ifndef PINTLE_RUN_HOOK_H
#define PINTLE_RUN_HOOK_H

#include "run/run.h"

struct hook_list;

struct hook_count { /* written by the slot's owner only */
	atomic(u64) calls, timed, timed_ns;
} __attribute__((aligned(64)));

struct hook {
	struct pintle_hook *at; /* the host's */
	struct pintle_host *host;
	struct pintle_link *links; /* by priority, then in the order they attached */
	struct hook_list *list;	   /* what at->active is */
	enum pintle_results results;
	bool sleepable, in_signals;
	u8 ret_size; /* of a result, in bytes */
	bool ret_signed;
	atomic(u64) drops;
	struct hook_count *counts; /* by slot */
};

/* What a replacement that is under way does to an attachment (replace.c). */
enum link_move {
	LINK_STAYS, /* with `to`, when that is not NULL */
	LINK_COMES, /* not there before */
	LINK_GOES,  /* not there afterwards */
};

struct pintle_link {
	struct pintle_link *next; /* of the hook, or of host->dead_links */
	struct hook *hook;
	struct pintle_prog *prog; /* NULL: dead */
	struct pintle_prog *to;
	enum link_move move;
	s32 priority;
	u64 cookie;
	bool owned; /* by the library: pintle_prog_attach() */
};

/*
 * A replacement: which side runs are on. A call of a hook from outside of any run chooses by
 * is_over, and whatever goes on inside that call is on the same side: slot_ctx.side is
 * number * 2 + 1 for the old side, + 2 for the new one.
 */
struct swap {
	u64 number; /* from 1, not used twice in a host */
	const struct pintle_object *old;
	atomic(bool) is_over; /* calls from outside are on the new side */
	atomic(bool) settled; /* so is whoever is on none: those of before have ended */
};

/* --- hook.c --- */

struct hook_entry {
	atomic(const struct pintle_prog *) prog; /* NULL: an empty place */
	u64 cookie;
	const struct pintle_link *link; /* for link.c only */
};

struct hook_list {
	u32 n;	 /* entries that may be run the short way; 0: hook_run_list() knows */
	u32 all; /* entries */
	struct hook *hook;
	const struct swap *swap; /* NULL: no replacement is under way */
	const struct hook_list *sides[2];
	struct hook_entry at[];
};

u64 hook_quick(const struct hook *hook); /* pintle_hook.quick */
/* The list of @hook as its links say: before a replacement, or @after it. *out is NULL when
 * there is nothing. -ENOMEM. */
int hook_list_make(struct hook *hook, bool after, struct hook_list **out);
/* A list that gives each run the list of its side. NULL: no memory. */
struct hook_list *hook_list_of_sides(struct hook *hook, const struct swap *swap);
/* Makes @list (NULL: none) the hook's. What was there is the caller's to free. */
struct hook_list *hook_publish(struct hook *hook, struct hook_list *list);
/* Which side of @swap the run on @slot is on: true: the new one. */
bool swap_side(const struct swap *swap, const struct slot_ctx *slot);
/* The same, of whatever this thread is in the middle of. */
bool swap_side_now(const struct swap *swap, struct pintle_host *host);
/* A call of what is being replaced gets a side, where it has none; false: it has. With true,
 * the side before is to be restored. */
bool swap_choose(const struct swap *swap, const struct run_scope *scope);
/* The same where it is known which: @side is that of what the call began with. */
bool swap_take(const struct swap *swap, const struct run_scope *scope, bool side);

/* --- link.c --- */

/* The hook that @prog's section names, or NULL. */
struct hook *hook_of(const struct pintle_prog *prog);
/* Whether @prog may be attached to @hook: 0, or -EINVAL and words. */
int link_fits(const struct pintle_prog *prog, const struct hook *hook);
/* Puts @link into its hook's list of links. */
void link_insert(struct pintle_link *link);
void link_remove(struct pintle_link *link);
/* @link, which is in no list any more, goes: at once, or, a host's handle, when that is
 * detached. */
void link_bury(struct pintle_link *link);

#endif
