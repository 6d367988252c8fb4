/* SPDX-License-Identifier: MIT
 *
 * ops_host.h: the host of ops.bpf.c.
 */
#ifndef TEST_RUN_OPS_HOST_H
#define TEST_RUN_OPS_HOST_H

#include "pintle/pintle.h"
#include "run/ops.h"
#include "test.h"

/* Exported to programs; references are counted in f->refs. */
struct flow *flow_get(struct flow *f);
void flow_put(struct flow *f);
int flow_nap(struct flow *f);

/* The place, PINTLE_OPS(cc_ops) of ops.c. */
const struct cc_ops *ops_current(void);
const struct cc_ops *ops_get(void);

struct pintle_host *ops_host(const struct pintle_host_opts *host_opts,
			     const struct pintle_ops_opts *opts);
struct pintle_object *ops_load(struct pintle_host *host);

#endif
