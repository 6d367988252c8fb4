/* SPDX-License-Identifier: MIT
 *
 * tenants.h: what the program of tenants.bpf.c and its host share.
 */
#ifndef TENANTS_H
#define TENANTS_H

#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct conn {
	int tenant, protocol;
};

#ifdef __bpf__
#pragma clang attribute pop
#endif

enum { TENANTS = 4, PROTOCOLS = 2, PORTS = 3 };

#endif
