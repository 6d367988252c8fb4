/* SPDX-License-Identifier: MIT
 *
 * live_run.h: runs a program in the running kernel, for voice.c; apart from it because of
 * live.h's reason.
 */
#ifndef TEST_LIVE_RUN_H
#define TEST_LIVE_RUN_H

#include <stddef.h>

/* A map with one value of @size bytes: its descriptor, or a negative errno. */
int live_memory(unsigned int size);
/* Loads the program, fills the map's value from @memory, runs it, and takes the value
 * back. 0, or a negative errno; with the verifier's words in @log when loading failed. */
int live_run(const void *insns, size_t n, int map, void *memory, char *log, size_t size);

#endif
