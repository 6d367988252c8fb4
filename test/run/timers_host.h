/* SPDX-License-Identifier: MIT
 *
 * timers_host.h: the host of timers.bpf.c.
 */
#ifndef TEST_RUN_TIMERS_HOST_H
#define TEST_RUN_TIMERS_HOST_H

#include "pintle/pintle.h"
#include "run/timers.h"
#include "test.h"

#include <pthread.h>

struct timers {
	struct pintle_host *host;
	struct pintle_object *object;
};

/* Time stands still but for this. */
extern uint64_t timers_now;
uint64_t timers_clock(void *data, int id);
long timers_nested(long key); /* exported to programs */
/* What timers_nested() does when a program calls it; NULL: nothing. */
extern long (*timers_nested_do)(long key);

/* The hook: every program of the objects that are attached. */
int timers_call_hook(int key, long n);

/* Ends the test as failed when the programs do not load. */
struct timers timers_begin(const struct pintle_host_opts *opts);
struct pintle_object *timers_load(struct pintle_host *host);
void timers_end(struct timers t);
/* Runs program PREFIX_MAP ("start", "hash"; NULL map: PREFIX): its result. */
int timers_run_prog(struct pintle_object *object, const char *prefix, const char *map, int key,
		    long n);
struct tick timers_tick(struct timers t, const char *map, uint32_t key);
/* Writes the tick of a key that exists or not; its timer goes, as by any update. */
void timers_set(struct timers t, const char *map, uint32_t key, struct tick tick);

#endif
