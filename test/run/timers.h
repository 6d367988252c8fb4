/* SPDX-License-Identifier: MIT
 *
 * timers.h: what test/run/timers*.c and their programs share.
 */
#ifndef TEST_RUN_TIMERS_H
#define TEST_RUN_TIMERS_H

/* What the programs keep for each key. */
struct tick {
	long fired;  /* callbacks so far */
	long last;   /* when the last one came, by the program's clock */
	long again;  /* the callback starts the timer again, so much later */
	long todo;   /* what else it does: enum todo */
	long answer; /* what that gave */
	long key;    /* it saw */
};

enum todo {
	TODO_NOTHING,
	TODO_CANCEL_OWN,
	TODO_DELETE_OWN,	/* its element, then starts the timer all the same */
	TODO_CANCEL_OTHER, /* of key + 1 */
	TODO_CALL_HOST,	/* timers_nested() */
	TODO_START_IN_THE_PAST,
};

#endif
