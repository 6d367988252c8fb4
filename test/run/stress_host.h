/* SPDX-License-Identifier: MIT
 *
 * stress_host.h: the host of the stress test: counted objects of each RCU class, poisoned
 * when they are freed, and kept for a while so that who still looks sees the poison.
 */
#ifndef TEST_RUN_STRESS_HOST_H
#define TEST_RUN_STRESS_HOST_H

#include "pintle/pintle.h"
#include "run/stress.h"

#include <pthread.h>

struct stress_counts {
	uint64_t ops[STRESS_NOPS];
	uint64_t made;	  /* objects */
	int64_t live;	  /* of them */
	uint64_t dead;	  /* reads that found poison */
	int64_t twice;	  /* references given back once too often */
	int last_bad;	  /* where a program saw a dead one */
};
extern struct stress_counts stress_counts; /* by atomics */

/* NULL where it cannot be made; with injected failures too. */
struct pintle_host *stress_host_new(const struct pintle_host_opts *opts);
void stress_host_reset(void); /* counts; frees what was kept */
void stress_host_flush(void); /* frees what was kept */

void stress_did(int op);
void stress_bad(int op);
struct item *item_new(int key);
struct item *item_get(struct item *item);
struct item *item_kget(struct item **slot);
int item_look(struct item *item);
void item_put(struct item *item);
struct nat *nat_new(int key);
struct nat *nat_get(struct nat *nat);
void nat_put(struct nat *nat);
struct bare *bare_new(int key);
int bare_look(struct bare *bare);
void bare_put(struct bare *bare);
int stress_nap(int us);

int stress_hook_p(int n);
int stress_hook_q(int n);
int stress_hook_object(struct item *item);
int stress_hook_calls(int n);
int stress_hook_link(int n);
int stress_hook_signal(int n);

extern struct pintle_hook *const stress_link_hook;
const struct stress_ops *stress_table_current(void);
const struct stress_ops *stress_table_get(void);

#endif
