/* SPDX-License-Identifier: MIT
 *
 * pools.h: where objects of one type can be at all; see pools.c.
 */
#ifndef PINTLE_RUN_POOLS_H
#define PINTLE_RUN_POOLS_H

#include "run/run.h"

struct region {
	const struct region *next;
	u64 start, end;
};

struct pool_set {
	struct pool_set *next; /* host->pools */
	const struct btf *btf;
	u32 type;
	atomic(const struct region *) regions;
};

#endif
