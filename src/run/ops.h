/* SPDX-License-Identifier: MIT
 *
 * ops.h: operations tables: structs of functions and numbers that the host declares and
 * objects implement. Files:
 *
 *	ops.c            registration: which struct, what its members are to programs
 *	map/struct_ops.c a table is a map: made, read, freed with its object
 *	ops_table.c      attached, replaced, held, detached
 *	thunk.c          the C functions that enter programs
 *
 * Life: a table lies in a map of its object. While it is attached, and while somebody holds
 * it (pintle_ops_get()), it keeps the object: closing the object takes the table away from
 * its place at once; the object goes when the last holder lets go and every run has ended.
 */
#ifndef PINTLE_RUN_OPS_H
#define PINTLE_RUN_OPS_H

#include "run/map.h"

/* What the host registered; abi_ops.data. From the host's arena. */
struct ops_type {
	struct pintle_host *host;
	struct pintle_ops *handle;
	struct pintle_ops_opts opts;
	const struct abi_ops *abi;
};

/* One member that is a program: what its thunk must know. */
struct ops_call {
	const struct pintle_prog *prog; /* NULL: not assigned */
	u32 thunk;
	u8 nargs;
	u8 size[5];	/* of each argument, in bytes; the result's in ret_size, 0: void */
	bool is_signed[5];
	u8 ret_size;
	bool ret_bool;
};

struct ops_table {
	struct map map;
	struct ops_type *type;
	struct pintle_object *object; /* known once a program is assigned */
	atomic(u32) refs;	      /* its being attached, and each holder; 0: free to be attached */
	bool attached, ready;
	struct ops_call *calls;	      /* by member of type->abi */
	/* What hosts get, at the start of a line. */
	char bytes[] __attribute__((aligned(64)));
};

enum { NO_THUNK = UINT32_MAX };

/* --- ops.c --- */
/* What the prototype of @member says of arguments and result. */
void ops_call_shape(const struct abi_ops_member *member, struct ops_call *call);

/* --- map/struct_ops.c --- */
struct ops_table *ops_table_of(struct map *map);

/* --- ops_table.c --- */
/* Loading is done: the table is complete, or -errno with words. */
int ops_ready(struct pintle_object *object, struct map *map);
/* No run can be in it any more: what it took for its functions is free again. */
void ops_unready(struct map *map);
/* All of the object's tables that are not attached, until one fails; in @done by map which. */
int ops_attach_all(struct pintle_object *object, bool *done);
/* Those of @these maps; NULL: all. */
void ops_detach_these(struct pintle_object *object, const bool *these);

/* --- thunk.c --- */
/* A C function that runs call->prog, in *fn and call->thunk: -ENOSPC when all are taken. */
int thunk_take(struct ops_call *call, void (**fn)(void));
/* No call is under way: the function gives 0 from now on, until it is taken again. */
void thunk_give(struct ops_call *call);

#endif
