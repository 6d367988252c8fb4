/* SPDX-License-Identifier: MIT
 *
 * driver.c: threads of the library's own that make the calls of timers and work queues,
 * where the host's options ask for them. One comes by whenever the descriptor that a host's
 * loop would watch is readable; so both kinds of driving are one.
 */
#include "run/async/async.h"
#include "run/life/thread.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct driver {
	struct pintle_host *host;
	int fd, stop_fd;
	int64_t (*run)(struct pintle_host *host, u32 budget);
	pthread_t thread;
};

static void *drive(void *data)
{
	static const struct timespec nap = {.tv_nsec = 1000000};
	struct driver *d = data;
	struct pollfd fds[2] = {{.fd = d->fd, .events = POLLIN},
				{.fd = d->stop_fd, .events = POLLIN}};

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			nanosleep(&nap, NULL);
		if (fds[1].revents)
			return NULL;
		if (d->run(d->host, 0) < 0)
			nanosleep(&nap, NULL); /* no slot, or no memory: again later */
	}
}

static int begin(struct driver *d)
{
	sigset_t before;
	int err;

	signals_block(&before);
	err = pthread_create(&d->thread, NULL, drive, d);
	signals_restore(&before);
	return -err;
}

int driver_start(struct pintle_host *host, int fd,
		 int64_t (*run)(struct pintle_host *host, u32 budget), struct driver **out)
{
	struct driver *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	*d = (struct driver){.host = host, .fd = fd, .run = run};
	d->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = d->stop_fd < 0 ? -errno : begin(d);
	if (err) {
		driver_lost(d);
		return err;
	}
	*out = d;
	return 0;
}

void driver_stop(struct driver *d)
{
	u64 one = 1;

	if (!d)
		return;
	while (write(d->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(d->thread, NULL);
	driver_lost(d);
}

void driver_lost(struct driver *d)
{
	if (d && d->stop_fd >= 0)
		close(d->stop_fd);
	free(d);
}
