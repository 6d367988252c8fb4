/* SPDX-License-Identifier: MIT
 *
 * words.c: the words of a host's last failure, and the host's log.
 */
#include "run/run.h"

#include <stdarg.h>

void host_log(struct pintle_host *host, enum pintle_log_level level, const char *line)
{
	if (host->opts.log)
		host->opts.log(host->opts.data, level, line);
}

int host_fail(struct pintle_host *host, int err, const char *fmt, ...)
{
	char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&words, fmt, ap) < 0)
		words = NULL;
	va_end(ap);
	free(host->words);
	host->words = words;
	host->words_lost = !words;
	host_log(host, PINTLE_LOG_ERROR, words ? words : "out of memory");
	return err;
}

int host_oom(struct pintle_host *host)
{
	free(host->words);
	host->words = NULL;
	host->words_lost = true;
	host_log(host, PINTLE_LOG_ERROR, "out of memory");
	return -ENOMEM;
}

void opts_copy(void *to, size_t size, const void *from, size_t from_size)
{
	memset(to, 0, size);
	if (from)
		memcpy(to, from, from_size < size ? from_size : size);
}

char *host_strdup(struct pintle_host *host, const char *name)
{
	return arena_strdup(host->arena, name);
}
