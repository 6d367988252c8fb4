/* SPDX-License-Identifier: MIT
 *
 * ops.h: operations tables: structs of functions and numbers that the host declares and
 * objects implement. Files:
 *
 *	ops.c            registration: which struct, what its members are to programs
 *	map/struct_ops.c a table is a map: made, read, freed with its object
 *	ops_table.c      attached, replaced, held, detached
 *	ops_swap.c       while their objects are replaced
 *	thunk.c          the C functions that enter programs
 *
 * Life: a table lies in a map of its object. While it is attached, and while somebody holds
 * it (pintle_ops_get()), it keeps the object: closing the object takes the table away from
 * its place at once; the object goes when the last holder lets go and every run has ended.
 */
#ifndef PINTLE_RUN_OPS_H
#define PINTLE_RUN_OPS_H

#include "run/map/map.h"

struct swap;

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
	struct ops_table *table;
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
	atomic(const struct swap *) swap; /* its object, or the one before, is replaced */
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

/* For ops_swap.c: as if by pintle_ops_attach(), but for the host's being told and the place. */
struct ops_table *ops_table_in(const struct pintle_map *map); /* NULL: it is none */
int ops_check_free(struct ops_table *t); /* or -errno and words */
void ops_now_attached(struct ops_table *t);
void ops_not_attached(struct ops_table *t);
int ops_refuse(const struct ops_table *t, const char *member, int err, const char *why);

/* --- ops_swap.c --- */
/* A place of one kind of tables has two sides: what pintle_ops.active is, with OPS_SIDES
 * added to its address. */
enum { OPS_SIDES = 1 };
struct ops_sides {
	const struct swap *swap;
	struct ops_table *at[2]; /* NULL: none */
};
struct ops_place;
struct ops_places {
	struct ops_place *v;
	u32 n;
};
bool ops_any_attached(const struct pintle_object *object);
/* What becomes of the tables of @old that are attached; and, if @attach, where those of @new
 * go that it did not have. -errno with words. */
int ops_places_make(struct ops_places *p, const struct pintle_object *old,
		    const struct pintle_object *new, bool attach, const struct swap *swap);
/* It comes to nothing, and no run knows of it. */
void ops_places_drop(struct ops_places *p);
void ops_places_open(struct ops_places *p); /* two sides each */
/* The host's own structures know the new tables: -errno and words when it refuses one. */
int ops_places_tell(struct ops_places *p);
/* Everything back, with a grace period to come before ops_places_drop(). */
void ops_places_back(struct ops_places *p);
void ops_places_close(struct ops_places *p); /* one side each */
void ops_places_end(struct ops_places *p); /* no run is on the old side, or looks for sides */

/* --- thunk.c --- */
/* A C function that runs call->prog, in *fn and call->thunk: -ENOSPC when all are taken. */
int thunk_take(struct ops_call *call, void (**fn)(void));
/* No call is under way: the function gives 0 from now on, until it is taken again. */
void thunk_give(struct ops_call *call);

#endif
