/* SPDX-License-Identifier: MIT
 *
 * stress_run.h: what the files of the stress test share: stress.c has its threads and
 * what they do with maps and references; stress_config.c the one who configures, of whom
 * there is one at a time; stress_calls.c calls from and to the host, clients, signals and
 * forks.
 */
#ifndef TEST_RUN_STRESS_RUN_H
#define TEST_RUN_STRESS_RUN_H

#include "run/stress_host.h"
#include "test.h"

enum { STRESS_OBJECTS = 3, STRESS_ITEMS = 6, STRESS_LINKS = 8, STRESS_TABLES = 2 };

struct mode {
	const char *name;
	struct pintle_host_opts opts;
	u32 fail; /* one allocation in so many; 0: none */
	u32 stall_us;
};

/* An object with its rings. Unpublished before it is closed: who found it in a read
 * section may use it until that ends. */
struct live {
	struct pintle_object *object;
	struct pintle_ringbuf *ring;
	struct pintle_user_ringbuf *user_ring;
};

enum kind { MOVES, CALLS, NKINDS }; /* stress.bpf.c, stress_calls.bpf.c */

struct file {
	void *data;
	size_t size;
};

struct stress {
	const struct mode *mode;
	struct pintle_host *host;
	struct file files[NKINDS], tables;
	struct live *live[NKINDS][STRESS_OBJECTS];
	struct item *items[STRESS_ITEMS]; /* whose storage maps keep */
	u32 stop;
	const char *wrong;
	char words[512];
	char path[64]; /* of the socket */

	pthread_mutex_t operator_; /* configures: one at a time; all below */
	struct pintle_link *links[STRESS_LINKS];
	struct pintle_object *ops[STRESS_TABLES];
};

struct worker {
	pthread_t thread;
	struct stress *s;
	u64 seed;
	int client; /* connected to the socket; -1: not */
	char cursor[64];
};

u32 lot(struct worker *w, u32 n);
void wrong(struct stress *s, const char *what);
/* In a read section. */
struct live *some_live(struct worker *w, enum kind kind);

/* --- stress_config.c --- */
void configure(struct worker *w); /* if nobody else does */
void config_end_all(struct worker *w);
/* A record of either ring: two equal words. */
int took_record(void *data, void *sample, size_t size);

/* --- stress_calls.c --- */
void calls_inside(struct worker *w, struct live *live); /* in a read section */
void calls_outside(struct worker *w);
void client_end(struct worker *w);
void signals_begin(void); /* handlers, which threads begun before do not run */
void signals_here(void);  /* on this thread they do */
void signals_send(void);
void signals_end(void);
bool forks_work(void); /* they do not in every build */

#endif
