/* SPDX-License-Identifier: MIT
 *
 * host.c: frames wait in a program's queue, and leave it in order of their deadlines.
 */
#include "../example.h"
#include "pqueue.h"

enum { FRAMES = 1000 };

static int alive, sent, late;
static unsigned int last;

struct frame *frame_get(struct frame *f)
{
	__atomic_add_fetch(&f->refs, 1, __ATOMIC_RELAXED);
	return f;
}

void frame_put(struct frame *f)
{
	if (__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL))
		return;
	alive--;
	free(f);
}

static void frame_dtor(void *obj)
{
	frame_put(obj);
}

static struct pintle_host *host;

/* Takes the program's reference over. */
void frame_send(struct frame *f)
{
	sent++;
	late += f->deadline < last;
	last = f->deadline;
	pintle_defer(host, frame_dtor, f);
}

PINTLE_HOOK(int, on_frame, struct frame *, f)
PINTLE_HOOK(int, on_idle, int, budget)

int main(int argc, char **argv)
{
	struct pintle_object *obj;

	host = host_new();
	check(host, pintle_export(host, frame_get, PINTLE_ACQUIRE));
	check(host, pintle_export(host, frame_put, PINTLE_RELEASE));
	check(host, pintle_export(host, frame_send, PINTLE_CONSUME));
	check(host, pintle_storable(host, "frame", .dtor = frame_dtor));
	check(host, pintle_hook_add(host, on_frame));
	check(host, pintle_hook_add(host, on_idle));
	obj = load(host, argc, argv);
	for (unsigned int i = 0; i < FRAMES; i++) {
		struct frame *f = calloc(1, sizeof(*f));

		if (!f)
			break;
		*f = (struct frame){1, i * 7919 % FRAMES};
		alive++;
		on_frame(f);
		pintle_defer(host, frame_dtor, f);
	}
	for (int i = 0; i < FRAMES / 2; i++)
		on_idle(1);
	pintle_drain(host);
	printf("%d sent, %d out of order, %d waiting\n", sent, late, alive);
	pintle_close(obj); /* frames that wait go home with the queue */
	pintle_host_free(host);
	printf("%d frames left\n", alive);
	return alive || late;
}
