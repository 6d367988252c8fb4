/* SPDX-License-Identifier: MIT
 *
 * words.c: the words of each thread's last failure on a host, and the host's log.
 *
 * Any thread may fail at any time, so each has words of its own: a host lists them by
 * thread, and only the thread they belong to reads or changes them. They go when the
 * thread ends or the host does. The list is under host->words_lock, which is taken last of
 * all and held for no more than a walk.
 */
#include "run/lock.h"
#include "run/life/thread.h"

#include <stdarg.h>

struct words {
	struct words *next;
	const struct thread_rec *thread;
	char *text;
};

/* The host on which this thread's last words found no memory. */
static THREAD_LOCAL u64 speechless_on;

static struct words *find_mine(struct pintle_host *host)
{
	struct words *w;

	lock_take(&host->words_lock);
	w = host->words;
	while (w && w->thread != thread_self())
		w = w->next;
	lock_drop(&host->words_lock);
	return w;
}

static struct words *add_mine(struct pintle_host *host)
{
	struct words *w = calloc(1, sizeof(*w));

	if (!w || thread_known()) { /* else nobody would free them when it ends */
		free(w);
		return NULL;
	}
	w->thread = thread_self();
	lock_take(&host->words_lock);
	w->next = host->words;
	host->words = w;
	lock_drop(&host->words_lock);
	return w;
}

/* Takes @text over; NULL: there was no memory for it. */
static void set_mine(struct pintle_host *host, char *text)
{
	struct words *w = find_mine(host);
	u64 id = host->slots ? host->slots->id : 0;

	if (!w && text)
		w = add_mine(host);
	if (w) {
		free(w->text);
		w->text = text;
	} else {
		free(text);
		text = NULL;
	}
	if (!text)
		speechless_on = id;
	else if (speechless_on == id)
		speechless_on = 0;
}

const char *words_get(const struct pintle_host *host)
{
	struct words *w;

	if (host->slots && speechless_on == host->slots->id)
		return "out of memory";
	w = find_mine((struct pintle_host *)(uintptr_t)host); /* only the lock is written */
	return w && w->text ? w->text : "";
}

void words_forget(struct pintle_host *host, const struct thread_rec *thread)
{
	struct words **at = &host->words, *w;

	lock_take(&host->words_lock);
	while (*at && (*at)->thread != thread)
		at = &(*at)->next;
	w = *at;
	if (w)
		*at = w->next;
	lock_drop(&host->words_lock);
	if (w)
		free(w->text);
	free(w);
}

void words_free(struct pintle_host *host)
{
	for (struct words *w = host->words, *next; w; w = next) {
		next = w->next;
		free(w->text);
		free(w);
	}
	host->words = NULL;
}

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
	host_log(host, PINTLE_LOG_ERROR, words ? words : "out of memory");
	set_mine(host, words);
	return err;
}

int host_oom(struct pintle_host *host)
{
	set_mine(host, NULL);
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
