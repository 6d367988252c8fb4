/* SPDX-License-Identifier: MIT
 *
 * host.c: events come on one thread, the program decides which are worth a report, and
 * another thread reads the reports when epoll says that there are some. Sources that report
 * too much are muted through a ring buffer in the other direction.
 */
#include "../example.h"
#include "events.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 1000, SOURCES = 10, NOISY = 7 };

PINTLE_HOOK(int, on_event, unsigned int, source, unsigned int, severity)

struct reader {
	pthread_t thread;
	struct pintle_ringbuf *reports;
	int stop, count;
	unsigned long of_noisy;
};

static int read_report(void *data, void *sample, size_t size)
{
	const struct report *r = sample;
	struct reader *reader = data;

	reader->count++;
	if (r->source == NOISY)
		reader->of_noisy = r->count;
	return 0;
}

static void *read_reports(void *data)
{
	struct reader *reader = data;
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(0);

	epoll_ctl(epoll, EPOLL_CTL_ADD, pintle_ringbuf_fd(reader->reports), &event);
	while (!__atomic_load_n(&reader->stop, __ATOMIC_ACQUIRE))
		if (epoll_wait(epoll, &event, 1, 10) > 0)
			pintle_ringbuf_consume(reader->reports, 0);
	pintle_ringbuf_consume(reader->reports, 0);
	close(epoll);
	return NULL;
}

static void mute(struct pintle_map *map, unsigned int source)
{
	struct pintle_user_ringbuf *mutes = pintle_user_ringbuf_open(map);
	struct mute *m = mutes ? pintle_user_ringbuf_reserve(mutes, sizeof(*m)) : NULL;

	if (m) {
		m->source = source;
		pintle_user_ringbuf_submit(mutes, m);
	}
	pintle_user_ringbuf_close(mutes);
}

int main(int argc, char **argv)
{
	struct pintle_host *host = host_new();
	struct reader reader = {0};
	struct pintle_object *obj;
	int reported = 0, lost = 0;

	check(host, pintle_hook_add(host, on_event));
	obj = load(host, argc, argv);
	reader.reports = pintle_ringbuf_open(pintle_map_find(obj, "reports"), read_report,
					     &reader);
	check(host, !reader.reports);
	pthread_create(&reader.thread, NULL, read_reports, &reader);
	for (unsigned int i = 0; i < EVENTS; i++) {
		int result;

		if (i == EVENTS / 2)
			mute(pintle_map_find(obj, "mutes"), NOISY);
		while ((result = on_event(i % SOURCES, i % SOURCES)) < 0) {
			lost++; /* tried again when the reader has caught up */
			usleep(100);
		}
		reported += result;
	}
	__atomic_store_n(&reader.stop, 1, __ATOMIC_RELEASE);
	pthread_join(reader.thread, NULL);
	printf("%d events, %d reported, %d read\n", EVENTS, reported, reader.count);
	printf("muted after %s\n", reader.of_noisy == EVENTS / 2 / SOURCES || lost ?
				       "half of them" : "another number");
	pintle_ringbuf_close(reader.reports);
	pintle_close(obj);
	pintle_host_free(host);
	return 0;
}
