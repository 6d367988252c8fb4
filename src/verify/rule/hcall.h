/* SPDX-License-Identifier: MIT
 *
 * hcall.h: one call of a helper while it is checked, for the files that share the work:
 *
 *	helper.c      which helper, who may call it, what else it does
 *	helper_arg.c  arguments of every kind; sockets: sock.c, timers: timer.c
 *	format.c      formats that are known when the program is loaded
 *	helper_ret.c  results of every kind
 */
#ifndef PINTLE_VERIFY_HCALL_H
#define PINTLE_VERIFY_HCALL_H

#include "verify/rule/rule.h"

enum { MAX_ARGS = 5 };

/* What the arguments told, for later arguments and for the result. */
struct call {
	const struct abi_helper *helper;
	const struct image_map *map;
	u32 map_uid;
	bool map_of_timer;	   /* the map is the one whose value has the timer */
	const struct field *field; /* of ARG_SLOT */
	u64 mem_size;		   /* of ARG_CONST_SIZE */
	u64 most_bytes;		   /* of the last ARG_SIZE */
	u32 release_ref;
	u32 dynptr_data;	   /* register of ARG_DYNPTR_DATA */
	u32 cast_ref;		   /* reference that a socket argument carries */
	u32 subprog;		   /* of ARG_FUNC */
	struct reg context;	   /* of ARG_STACK */
	struct dynptr_at dynptr, new_dynptr; /* of ARG_DYNPTR */
	struct reg percpu;	   /* of ARG_PERCPU */
	bool key_known;		   /* an array's element that exists */
	u32 key;
};

static inline const struct abi_arg *arg_of(const struct call *call, u32 i)
{
	return &call->helper->args[i];
}

/* --- helper_arg.c --- */

int helper_check_args(struct env *env, struct call *call);

/* --- helper_ret.c --- */

/* What r0 becomes; takes the reference that it may carry. */
int helper_result(struct env *env, const struct call *call, struct reg *r0);
/* The result carries a new reference, or an old one, and may be NULL, as the row says. */
int helper_ret_finish(struct env *env, const struct call *call, struct reg *r0);

/* --- format.c --- */

/* The constant text at @format is a format for @size bytes of arguments. */
int check_format(struct env *env, const struct reg *format, const struct reg *size);
/* Register @regno has the address of what is printed, or is printed: what it may hold, the
 * format says, in check_printed(). */
bool format_data(const struct env *env, const struct abi_helper *helper, u32 regno);
bool format_value(const struct env *env, const struct abi_helper *helper, u32 regno);
int check_printed(struct env *env, const struct abi_helper *helper);

/* --- sock.c --- */

/* ARG_SOCKET, ARG_SOCK, ARG_SOCK_BTF (and values of maps of sockets): argument @i. */
int sock_arg(struct env *env, struct call *call, u32 i);
/* RET_SOCKET, RET_SOCK_COMMON, RET_TCP_SOCK. */
int sock_ret(struct env *env, const struct call *call, struct reg *r0);
/* What a lookup in a map of sockets gives; false: @map is none. */
bool sock_of_map(const struct image_map *map, enum abi_table_id *table);
bool is_sock_map(const struct image_map *map);
/* Programs of this type may change a map of sockets. */
int sock_map_change(struct env *env, const struct call *call, const struct image_map *map);

/* --- timer.c --- */

/* ARG_TIMER: the address of a map value's timer. */
int timer_arg(struct env *env, struct call *call, u32 regno);
/* The map handed to bpf_timer_init() is the one that holds the timer. */
int timer_map(struct env *env, const struct call *call, const struct reg *map);

#endif
