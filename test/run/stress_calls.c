/* SPDX-License-Identifier: MIT
 *
 * stress_calls.c: what the stress test's threads call beside maps: timers and work that
 * are due, linked programs, tables of operations, an arena's pages, the socket as clients
 * who are not all polite; and signals and forks that come anywhere.
 */
#include "run/stress_run.h"
#include "unit/fail_alloc.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------------ in a section */

static void share_pages(struct worker *w, struct live *live)
{
	const struct pintle_map *arena = pintle_map_find(live->object, "arena");
	volatile u64 *page = pintle_arena_alloc(arena, NULL, 1);

	if (!page)
		return;
	if (*page)
		wrong(w->s, "a page is not zero");
	*page = STRESS_MAGIC;
	if (pintle_arena_free(arena, (void *)(uintptr_t)page, 1))
		wrong(w->s, "a page is gone");
	stress_did(H_ARENA);
}

/* Functions and number of one table, however many are replaced meanwhile. Who has no slot
 * would lose a reference. */
static void use_table(struct worker *w, const struct stress_ops *ops)
{
	struct item *item = item_new(4);
	int n = 1 + (int)lot(w, 100);

	if (!item)
		return;
	if (pintle_thread_enter(w->s->host)) {
		item_put(item);
		return;
	}
	if (ops->sign(item, n) != n * ops->number)
		wrong(w->s, "half of one table and half of another");
	item = ops->swap(item);
	if (item)
		item_put(item);
	stress_did(H_TABLE_CALL);
}

void calls_inside(struct worker *w, struct live *live)
{
	const struct stress_ops *ops;

	switch (lot(w, 8)) {
	case 0:
		share_pages(w, live);
		break;
	case 1:
		stress_hook_link((int)lot(w, 1000));
		break;
	case 2:
		ops = stress_table_current();
		if (ops)
			use_table(w, ops);
		break;
	case 3:
		if (live->ring)
			pintle_ringbuf_consume(live->ring, 16);
		break;
	default:
		stress_hook_calls((int)lot(w, 1000));
	}
}

/* ------------------------------------------------------------------ outside */

/* Held, it outlives its object. */
static void hold_table(struct worker *w)
{
	const struct stress_ops *ops = stress_table_get();
	int n = (int)lot(w, 15);

	if (!ops)
		return;
	use_table(w, ops);
	if (!pintle_thread_enter(w->s->host) && ops->nap(n) != n * ops->number)
		wrong(w->s, "half of one table and half of another");
	pintle_ops_put(ops);
	stress_did(H_TABLE_HOLD);
}

static void drive(struct worker *w)
{
	struct pintle_host *host = w->s->host;

	if (lot(w, 2)) {
		if (pintle_timers_run(host, lot(w, 8)) > 0)
			stress_did(H_TIMERS);
	} else if (pintle_work_run(host, lot(w, 8)) > 0) {
		stress_did(H_WORK);
	}
	pintle_timers_next(host);
	if (!lot(w, 8) && pintle_timers_fd(host) + pintle_work_fd(host) < 0 &&
	    !w->s->mode->fail)
		wrong(w->s, "no descriptors of timers and work");
}

/* ------------------------------------------------------------------ clients */

static void dial(struct worker *w)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(at.sun_path, w->s->path);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&at, sizeof(at)))
		w->client = fd;
	else if (fd >= 0)
		close(fd);
	*w->cursor = 0;
}

void client_end(struct worker *w)
{
	if (w->client >= 0)
		close(w->client);
	w->client = -1;
}

/* Words with a NUL behind each; %s stands for the cursor. */
static const char *const requests[] = {
	"prog|list|%s|",
	"map|list|%s|",
	"refs|list||%s|",
	"refs|totals|",
	"map|dump|hash|%s|",
	"map|dump|pc_hash|%s|",
	"map|dump|ticks|%s|",
	"map|dump|old_ticks|%s|",
	"prog|dump|mix_hash|%s|",
	"prog|show|metered|",
	"map|set|queue|1|",
	"map|delete|boxes|3|",
	"map|delete|plain|3|",
	"map|get|boxes|4|",
	"map|get|storage|hex:0102030405060708|",
};

static void ask(struct worker *w)
{
	char text[256];
	int len;

	if (!lot(w, 8)) { /* whatever comes */
		len = (int)lot(w, sizeof(text));
		for (int i = 0; i < len; i++)
			text[i] = (char)lot(w, 256);
		stress_did(H_GARBAGE);
	} else {
		snprintf(text, sizeof(text), requests[lot(w, ARRAY_SIZE(requests))],
			 w->cursor);
		len = (int)strlen(text);
		for (int i = 0; i < len; i++)
			text[i] = text[i] == '|' ? 0 : text[i];
		stress_did(H_ASK);
	}
	if (send(w->client, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
	    errno != EAGAIN)
		client_end(w);
}

/* Whole lines, the last of which says what there is to come. */
static void hear(struct worker *w)
{
	enum { ANSWER = 1 << 17 };
	char *text = malloc(ANSWER), *next;
	ssize_t n = text ? recv(w->client, text, ANSWER - 1, MSG_DONTWAIT) : 0;

	if (n > 0) {
		text[n] = 0;
		if (*text != '{' || text[n - 1] != '\n' || text[n - 2] != '}')
			wrong(w->s, "an answer that is no lines of JSON");
		next = strstr(text, "{\"next\":\"");
		snprintf(w->cursor, sizeof(w->cursor), "%.*s",
			 next ? (int)strcspn(next + 9, "\"") : 0, next ? next + 9 : "");
		stress_did(H_ANSWER);
	} else if (!n && text) {
		client_end(w);
	}
	free(text);
}

static void client(struct worker *w)
{
	if (w->client < 0)
		dial(w);
	if (w->client < 0)
		return;
	if (lot(w, 4))
		hear(w);
	if (w->client >= 0 && lot(w, 4))
		ask(w);
	if (w->client < 0 || !lot(w, 16)) {
		client_end(w);
		stress_did(H_HANG_UP);
	}
}

/* ------------------------------------------------------------------ forks */

bool forks_work(void)
{
#ifdef TEST_TSAN /* a child of a process with threads may hang there, when it creates one */
	return getenv("PINTLE_STRESS_SECONDS");
#else
	return true;
#endif
}

static bool torn_or(int err, int other)
{
	return !err || err == -ECHILD || err == -EAGAIN || err == -ENOMEM || err == other;
}

/* In the child: all works, or nothing does. */
static bool child_is_well(struct stress *s)
{
	u32 key = 1;
	static char value[16 << 10]; /* of all slots */
	struct live *live;
	bool well = true;

	for (int i = 0; i < 20; i++)
		stress_hook_calls(i);
	pintle_read_lock(s->host);
	live = __atomic_load_n(&s->live[CALLS][0], __ATOMIC_ACQUIRE);
	if (live)
		well = torn_or(pintle_map_update(pintle_map_find(live->object, "plain"),
						 &key, value, 0),
			       -E2BIG);
	pintle_read_unlock(s->host);
	well = well && torn_or((int)pintle_timers_run(s->host, 1) < 0 ? -EAGAIN : 0, 0);
	pintle_drain(s->host);
	return well && !__atomic_load_n(&stress_counts.dead, __ATOMIC_RELAXED) &&
	       !__atomic_load_n(&stress_counts.twice, __ATOMIC_RELAXED);
}

/* liburcu ends a child that has no memory for its thread. */
static pid_t fork_with_memory(const struct mode *mode)
{
	pid_t pid;

	fail_alloc_random(0, 0);
	pid = fork();
	fail_alloc_random(mode->fail, 7);
	return pid;
}

/* One in a while, whoever it is: a fork stops the others for long. */
static bool fork_is_due(void)
{
	static u64 last;
	struct timespec t;
	u64 now, before = __atomic_load_n(&last, __ATOMIC_RELAXED);

	clock_gettime(CLOCK_MONOTONIC, &t);
	now = (u64)t.tv_sec * 1000 + (u64)t.tv_nsec / 1000000;
	return now > before + 400 &&
	       __atomic_compare_exchange_n(&last, &before, now, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
}

static void fork_one(struct worker *w)
{
	int status = 0;
	pid_t pid;

	if (!forks_work() || !fork_is_due())
		return;
	pid = fork_with_memory(w->s->mode);
	if (!pid) {
		alarm(20);
		_exit(child_is_well(w->s) ? 0 : 1);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid <= 0)
		return;
	stress_did(H_FORK);
	if (status)
		wrong(w->s, WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM
				    ? "a child of fork hung"
				    : "a child of fork is not well");
}

static const struct {
	void (*does)(struct worker *w);
	u32 weight;
} outside[] = {{drive, 12}, {client, 12}, {hold_table, 4}, {fork_one, 1}};

void calls_outside(struct worker *w)
{
	u32 at = lot(w, 29), i = 0;

	while (at >= outside[i].weight)
		at -= outside[i++].weight;
	outside[i].does(w);
}

/* ------------------------------------------------------------------ signals */

static const int signals[] = {SIGUSR1, SIGUSR2};
static struct sigaction before[ARRAY_SIZE(signals)];

static void on_signal(int sig)
{
	int saved = errno;

	stress_hook_signal(
		sig + (int)(__atomic_load_n(&stress_counts.made, __ATOMIC_RELAXED) & 3));
	stress_did(H_SIGNAL);
	errno = saved;
}

static void mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (u32 i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	pthread_sigmask(how, &set, NULL);
}

/* The thread that sends them gets none: it would get all. */
void signals_begin(void)
{
	const struct sigaction act = {.sa_handler = on_signal};

	mask(SIG_BLOCK);
	for (u32 i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &act, &before[i]);
}

void signals_here(void)
{
	mask(SIG_UNBLOCK);
}

void signals_send(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(signals); i++)
		kill(getpid(), signals[i]);
}

/* Those that are still on their way are lost. */
void signals_end(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	for (u32 i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaction(signals[i], &ignore, NULL);
		sigaction(signals[i], &before[i], NULL);
	}
	mask(SIG_UNBLOCK);
}
