/* SPDX-License-Identifier: MIT
 *
 * local_fixture.h: the host of map_fixture.h with the types of an object file that was
 * never written: struct node, which can be everywhere at once, and struct lvalue, a map
 * value that owns nodes in every way there is.
 */
#ifndef TEST_LOCAL_FIXTURE_H
#define TEST_LOCAL_FIXTURE_H

#include "map_fixture.h"
#include "run/field/local.h"

struct node {
	u64 key;
	u64 ln[3];	      /* struct bpf_list_node */
	u64 rn[4];	      /* struct bpf_rb_node */
	u32 refs, pad;	      /* struct bpf_refcount */
	struct thing *thing;  /* kptr, of the host */
	struct plain *plain;  /* kptr, of the program's own */
};

struct plain {
	u64 a, b;
};

struct lvalue {
	u32 lock, pad;
	u64 head[2]; /* struct bpf_list_head, of node.ln */
	u64 root[2]; /* struct bpf_rb_root, of node.rn */
	struct node *one;
	void *percpu; /* percpu_kptr to struct plain */
};

struct locals {
	struct pintle_host *host;
	struct image image;
	struct local_types *set;
	struct local_type *node, *plain;
	const struct record *value_record; /* of struct lvalue */
	struct fields *value;
};

void locals_open(struct locals *l);
/* Fails the test when an object of either type is left. */
void locals_close(struct locals *l);

struct node *node_new(const struct locals *l, u64 key);

#endif
