/* SPDX-License-Identifier: MIT
 *
 * upload.h: an object file that a client of the inspection socket sends (inspect.c) takes
 * the place of one that is loaded.
 */
#ifndef PINTLE_RUN_UPLOAD_H
#define PINTLE_RUN_UPLOAD_H

#include "run/run.h"

enum { UPLOAD_MAX = 64 << 20 }; /* bytes of a file */

/* What a client passed by descriptor. */
struct upload {
	void *data;
	size_t size;
};

/* Reads @fd, which stays open: NULL, or in words why it is not taken. It never blocks. */
const char *upload_open(struct upload *up, int fd);
void upload_close(struct upload *up);
/*
 * Opens it as @old was opened, loads it with the limits that @old has, and lets it take
 * @old's place (pintle_object_replace()). Then @replaced(@data, @old, the new one), and @old
 * is closed. 0, or -errno with the host's words and @old as it was.
 */
int upload_replace(const struct upload *up, struct pintle_object *old,
		   const struct pintle_replace_opts *opts,
		   void (*replaced)(void *data, struct pintle_object *old,
				    struct pintle_object *new_),
		   void *data);

#endif
