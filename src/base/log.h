/* SPDX-License-Identifier: MIT
 *
 * log.h: where words for people go. A log is a growing text; the last error line is kept
 * apart, so that it survives a log that could not grow.
 */
#ifndef PINTLE_BASE_LOG_H
#define PINTLE_BASE_LOG_H

#include "base/base.h"

#include <stdarg.h>

enum log_level {
	LOG_ERROR, /* why something was refused */
	LOG_NOTE,  /* what a user may want to know: a pin ignored, a weak symbol absent */
	LOG_INSN,  /* each instruction the verifier walks (-v) */
	LOG_STATE, /* each state beside it (-vv) */
};

struct log {
	char *text;
	size_t len, cap, limit; /* limit 0: 16 MiB */
	enum log_level level;	/* what is above is dropped */
	bool full;		/* text was dropped: out of memory, or over the limit */
	char error[512];	/* the last error line, no newline */
};

static inline bool log_wants(const struct log *log, enum log_level level)
{
	return log && level <= log->level;
}

/* Appends text as it is; the caller ends its lines. Safe with a NULL log. */
void log_print(struct log *log, enum log_level level, const char *fmt, ...) FORMAT(3, 4);

/*
 * Appends an error line (the newline is added), remembers it as the last error and
 * returns @err, which is a negative errno. Safe with a NULL log.
 */
int log_fail(struct log *log, int err, const char *fmt, ...) FORMAT(3, 4);

/* The last error line leaves the text, if nothing came after it: it was said elsewhere. */
void log_take_back(struct log *log);

/* The text so far; never NULL. */
const char *log_text(const struct log *log);
void log_clear(struct log *log);
void log_free(struct log *log);

#endif
