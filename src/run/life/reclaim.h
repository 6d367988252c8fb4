/* SPDX-License-Identifier: MIT
 *
 * reclaim.h: between defer.c and the thread that may do its work.
 */
#ifndef PINTLE_RUN_RECLAIM_H
#define PINTLE_RUN_RECLAIM_H

#include "run/run.h"

#include <pthread.h>
#include <signal.h>

/* Starts the thread if the host wants it: 0 or a negative errno. */
int reclaim_start(struct pintle_host *host);
void reclaim_stop(struct pintle_host *host);
void reclaim_lost(struct pintle_host *host); /* in a child of fork: it is not there */
void reclaim_wake(struct pintle_host *host);
bool reclaim_is_self(const struct pintle_host *host);

/* Logs that the grace period of the calls that wait has lasted @ms. */
void stall_report(struct pintle_host *host, u64 ms);

u64 clock_ms(void); /* monotonic, coarse */

/* defer.c: one step of the work of a safe point. */
void defer_advance(struct pintle_host *host);

#endif
