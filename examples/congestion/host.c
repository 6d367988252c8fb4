/* SPDX-License-Identifier: MIT
 *
 * host.c: a sender whose congestion control is a table of functions that programs implement.
 * The table is replaced while the sender runs: each packet is under one of the two, whole.
 */
#include "../example.h"
#include "congestion.h"

enum { ROUNDS = 100, ROOM = 40 };

PINTLE_OPS(cc_ops)

static unsigned int same_on_ack(struct flow *f, unsigned int acked)
{
	return f->window;
}

static unsigned int same_on_loss(struct flow *f)
{
	return f->window;
}

static const struct cc_ops defaults = {.on_ack = same_on_ack, .on_loss = same_on_loss};

/* The host's own say: windows that make no sense are refused when an object is loaded. */
static int check_numbers(void *data, const void *table)
{
	const struct cc_ops *cc = table;

	return cc->most && cc->most <= 1000 && cc->name[0] ? 0 : -1;
}

static void one_round(struct pintle_host *host, struct flow *f)
{
	const struct cc_ops *cc;
	unsigned int window;

	pintle_read_lock(host);
	cc = cc_ops_current();
	if (!f->window)
		window = cc->start(f);
	else if (f->window > ROOM)
		window = cc->on_loss(f);
	else
		window = cc->on_ack(f, 1);
	if (f->window > ROOM)
		f->lost += f->window - ROOM;
	else
		f->acked += f->window;
	f->window = window < cc->most ? window : cc->most;
	pintle_read_unlock(host);
}

static void send_with(struct pintle_host *host, struct flow *f)
{
	*f = (struct flow){0};
	for (int i = 0; i < ROUNDS; i++)
		one_round(host, f);
	printf("%s: %u sent, %u lost, window %u\n", cc_ops_current()->name, f->acked, f->lost,
	       f->window);
}

int main(int argc, char **argv)
{
	struct pintle_host *host = host_new();
	struct pintle_object *obj;
	struct pintle_map *reno, *steady;
	struct flow f;

	check(host, pintle_ops_add(host, cc_ops, .defaults = &defaults,
				   .validate = check_numbers));
	obj = pintle_open(host, argc > 1 ? argv[1] : "congestion.bpf.o", NULL);
	check(host, !obj || pintle_load(obj));
	reno = pintle_map_find(obj, "reno");
	steady = pintle_map_find(obj, "steady");
	check(host, pintle_ops_attach(reno));
	send_with(host, &f);
	check(host, pintle_ops_replace(reno, steady));
	send_with(host, &f);
	pintle_close(obj);
	printf("%s\n", cc_ops_current() ? "still there" : "none left");
	pintle_host_free(host);
	return 0;
}
