/* SPDX-License-Identifier: MIT
 *
 * buffer.h: pinned user buffers and the fields that hold them; see buffer.c.
 */
#ifndef PINTLE_RUN_BUFFER_H
#define PINTLE_RUN_BUFFER_H

#include "run/map/map.h"

/* The memory of a buffer that has @size bytes at tenant's address @user, pinned; or NULL. */
void *buffer_pin(struct pintle_host *host, u64 user, u64 size);
/* Drops a pin after a grace period. Any context without locks of the engine's own. */
void buffer_unpin(struct pintle_host *host, void *memory);

void buffers_free(struct pintle_host *host); /* closes all; deferred calls release them */

bool fields_have_uptr(const struct fields *fields);
/* Pins what a host's @value names in its uptr fields: into pins[i] for field i, of which
 * there are fields->n. -EFAULT with words, and nothing is pinned. */
int uptrs_pin(struct pintle_host *host, const struct fields *fields, const void *value,
	      void **pins);
/* Stores them into a live value and drops what was there. */
void uptrs_store(struct pintle_host *host, const struct fields *fields, void *value,
		 void **pins);
void uptrs_drop(struct pintle_host *host, void **pins, u32 n);

#endif
