/* SPDX-License-Identifier: MIT
 *
 * example.h: what every example's host does: make a host, load the program it is given,
 * and stop with the library's words when something fails.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <pintle/pintle.h>
#include <stdio.h>
#include <stdlib.h>

static inline void check(struct pintle_host *host, int failed)
{
	if (!failed)
		return;
	fprintf(stderr, "%s\n", pintle_host_error(host));
	exit(1);
}

static inline struct pintle_host *host_new(void)
{
	struct pintle_host *host = pintle_host_new(NULL);

	check(host, !host || pintle_host_add_self(host)); /* types: our own .BTF */
	return host;
}

static inline struct pintle_object *load(struct pintle_host *host, int argc, char **argv)
{
	struct pintle_object *obj;

	if (argc != 2) {
		fprintf(stderr, "usage: %s PROGRAM.bpf.o\n", argv[0]);
		exit(2);
	}
	obj = pintle_open(host, argv[1], NULL);
	check(host, !obj || pintle_load(obj) || pintle_attach(obj));
	return obj;
}

#endif
