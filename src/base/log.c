/* SPDX-License-Identifier: MIT
 *
 * log.c: see log.h. Never fails: what does not fit is dropped and `full` says so.
 */
#include "base/log.h"

enum { DEFAULT_LIMIT = 16 << 20, FIRST_CAP = 1024 };

static bool reserve(struct log *log, size_t more)
{
	size_t limit = log->limit ? log->limit : DEFAULT_LIMIT;
	size_t cap = log->cap ? log->cap : FIRST_CAP;
	char *p;

	if (log->len + more + 1 > limit)
		return false;
	if (log->len + more + 1 <= log->cap)
		return true;
	while (cap < log->len + more + 1)
		cap *= 2;
	p = realloc(log->text, cap);
	if (!p)
		return false;
	log->text = p;
	log->cap = cap;
	return true;
}

static void append(struct log *log, const char *text, size_t len)
{
	if (log->full || !reserve(log, len)) {
		log->full = true;
		return;
	}
	memcpy(log->text + log->len, text, len);
	log->len += len;
	log->text[log->len] = 0;
}

static void append_v(struct log *log, const char *fmt, va_list args)
{
	char small[512], *p = small;
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(small, sizeof(small), fmt, args);
	if (len >= (int)sizeof(small)) {
		p = malloc((size_t)len + 1);
		if (p)
			vsnprintf(p, (size_t)len + 1, fmt, again);
	}
	va_end(again);
	if (p && len > 0)
		append(log, p, (size_t)len);
	else if (!p)
		log->full = true;
	if (p != small)
		free(p);
}

void log_print(struct log *log, enum log_level level, const char *fmt, ...)
{
	va_list args;

	if (!log_wants(log, level))
		return;
	va_start(args, fmt);
	append_v(log, fmt, args);
	va_end(args);
}

int log_fail(struct log *log, int err, const char *fmt, ...)
{
	va_list args;

	if (!log)
		return err;
	va_start(args, fmt);
	vsnprintf(log->error, sizeof(log->error), fmt, args);
	va_end(args);
	va_start(args, fmt);
	append_v(log, fmt, args);
	va_end(args);
	append(log, "\n", 1);
	return err;
}

void log_take_back(struct log *log)
{
	size_t n = log ? strlen(log->error) : 0;

	if (!n || log->len < n + 1 || log->text[log->len - 1] != '\n' ||
	    memcmp(log->text + log->len - n - 1, log->error, n))
		return;
	log->len -= n + 1;
	log->text[log->len] = 0;
}

const char *log_text(const struct log *log)
{
	return log->text ? log->text : "";
}

void log_clear(struct log *log)
{
	log->len = 0;
	log->full = false;
	log->error[0] = 0;
	if (log->text)
		log->text[0] = 0;
}

void log_free(struct log *log)
{
	free(log->text);
	*log = (struct log){.level = log->level, .limit = log->limit};
}
