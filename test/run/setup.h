/* SPDX-License-Identifier: MIT
 *
 * setup.h: a host and one loaded object of test/run, for tests of maps end to end.
 */
#ifndef TEST_RUN_SETUP_H
#define TEST_RUN_SETUP_H

#include "pintle/pintle.h"
#include "test.h"

struct setup {
	struct pintle_host *host;
	struct pintle_object *object;
};

/* One more object of @file, which programs of the first may find maps of; or NULL. */
struct pintle_object *setup_load(struct pintle_host *host, const char *file);
/* A host of @opts with its own types and what @add registers, and @file loaded; fails the
 * test with the host's words. */
struct setup setup_begin(const struct pintle_host_opts *opts,
			 int (*add)(struct pintle_host *host), const char *file);
void setup_end(struct setup s);

/* What program @name returns for a hook of one number. */
int setup_run(struct setup s, const char *name, int n);
struct pintle_map *setup_map(struct setup s, const char *name);

#endif
