/* SPDX-License-Identifier: MIT
 *
 * events.h: what the program of events.bpf.c and its host tell each other.
 */
#ifndef EVENTS_H
#define EVENTS_H

struct report { /* program to host */
	unsigned int source, severity;
	unsigned long count; /* of this source, so far */
};

struct mute { /* host to program */
	unsigned int source;
};

#endif
