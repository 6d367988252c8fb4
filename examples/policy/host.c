/* SPDX-License-Identifier: MIT
 *
 * host.c: a server of 60 lines that lets its operator decide. It owns counted connections,
 * exports three functions, declares one hook, and loads the program it is given.
 *
 *	host policy.bpf.o
 */
#include "conn.h"

#include <pintle/pintle.h>
#include <stdio.h>
#include <stdlib.h>

static int alive;

static struct conn *conn_open(int id)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c) {
		c->id = id;
		c->refs = 1;
		alive++;
	}
	return c;
}

struct conn *conn_get(struct conn *c)
{
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

void conn_put(struct conn *c)
{
	if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL))
		return;
	alive--;
	free(c);
}

static void conn_dtor(void *obj)
{
	conn_put(obj);
}

PINTLE_HOOK(int, on_request, struct conn *, c, struct request *, r)

static void check(struct pintle_host *host, int failed)
{
	if (!failed)
		return;
	fprintf(stderr, "%s\n", pintle_host_error(host));
	exit(1);
}

int main(int argc, char **argv)
{
	struct pintle_host *host = pintle_host_new(NULL);
	struct pintle_object *policy;
	int refused = 0;

	check(host, !host || pintle_host_add_self(host)); /* types: our own .BTF */
	check(host, pintle_export(host, conn_get, PINTLE_ACQUIRE));
	check(host, pintle_export(host, conn_put, PINTLE_RELEASE));
	check(host, pintle_storable(host, "conn", .dtor = conn_dtor));
	check(host, pintle_hook_add(host, on_request));

	policy = pintle_open(host, argc > 1 ? argv[1] : "policy.bpf.o", NULL);
	check(host, !policy || pintle_load(policy) || pintle_attach(policy));

	for (int i = 0; i < 1000; i++) {
		struct conn *c = conn_open(i);
		struct request r = {.client = i % 10, .bytes = 100};

		if (!c)
			break;
		refused += on_request(c, &r) < 0;
		conn_put(c); /* the program may have kept its own reference */
	}
	pintle_drain(host); /* puts of programs wait for readers; count after them */
	printf("1000 requests, %d refused, %d connections kept by the program\n", refused,
	       alive);
	pintle_close(policy);
	pintle_host_free(host); /* every reference goes home */
	printf("%d connections left\n", alive);
	return alive != 0;
}
