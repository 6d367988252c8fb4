/* SPDX-License-Identifier: MIT
 *
 * local.c: objects that programs allocate: their memory, birth, sharing and death; lists
 * and trees of them; copies for each slot.
 */
#include "fail_alloc.h"
#include "local_fixture.h"

#include "run/helper/helpers.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#define ARG(p) ((u64)(uintptr_t)(p))

TEST(local_type_from_btf)
{
	struct locals l;

	locals_open(&l);
	CHECK_STR(l.node->name, "node");
	CHECK_EQ(l.node->size, sizeof(struct node));
	CHECK_EQ(l.node->refcount_off, offsetof(struct node, refs));
	CHECK(l.node->owns && !l.plain->owns);
	CHECK(!l.plain->fields && l.plain->refcount_off < 0);
	CHECK_EQ(l.value->lock_off, 0);
	locals_close(&l);
}

TEST(local_object_begins_empty_G2_G3)
{
	struct locals l;
	struct slot_ctx *slot;

	locals_open(&l);
	slot = fixture_enter(l.host);
	for (u32 round = 0; round < 200; round++) {
		struct node *n = local_new(l.node);
		static const struct node empty = {.refs = 1};

		CHECK(n && !memcmp(n, &empty, sizeof(*n)));
		n->key = n->pad = 0x5a5a5a5a;
		local_drop(l.node, n);
		if (round % 10 == 9) { /* memory comes back after a grace period */
			fixture_leave(slot);
			defer_drain(l.host);
			slot = fixture_enter(l.host);
		}
	}
	fixture_leave(slot);
	locals_close(&l);
}

TEST(local_memory_waits_for_readers)
{
	struct locals l;
	struct slot_ctx *slot;
	struct plain *p;

	locals_open(&l);
	slot = fixture_enter(l.host);
	p = local_new(l.plain);
	CHECK(p);
	p->a = 7;
	local_drop(l.plain, p);
	for (u32 i = 0; i < 1000; i++) { /* all of them in this read section */
		struct plain *q = local_new(l.plain);

		CHECK(q && q != p);
		q->a = 8;
		local_drop(l.plain, q);
	}
	CHECK_EQ(p->a, 7);
	fixture_leave(slot);
	locals_close(&l);
}

/* What is dropped is used again without a drain, as soon as nobody can read it. */
TEST(local_memory_is_used_again_soon)
{
	struct locals l;
	u64 before;

	locals_open(&l);
	if (!epoch_usable()) {
		locals_close(&l);
		SKIP("no membarrier(2)");
	}
	before = heap_bytes(l.host);
	for (u32 round = 0; round < 10000; round++) {
		struct slot_ctx *slot = fixture_enter(l.host);

		for (u32 i = 0; i < 20; i++)
			local_drop(l.plain, local_new(l.plain));
		fixture_leave(slot);
	}
	CHECK(heap_bytes(l.host) - before <= 2 * (64 << 10) * 2);
	locals_close(&l);
}

struct sleeper {
	pthread_t thread;
	struct pintle_host *host;
	atomic(u32) go, done; /* is inside; may leave */
};

static void *sleep_inside(void *data)
{
	struct sleeper *s = data;
	struct slot_ctx *slot = slot_get(s->host);

	sleep_enter(slot);
	atomic_store(&s->go, 1);
	while (!atomic_load(&s->done))
		sched_yield();
	sleep_leave(slot);
	return NULL;
}

static void sleeper_start(struct sleeper *s, struct pintle_host *host)
{
	*s = (struct sleeper){.host = host};
	CHECK_EQ(pthread_create(&s->thread, NULL, sleep_inside, s), 0);
	while (!atomic_load(&s->go))
		sched_yield();
}

static void sleeper_stop(struct sleeper *s)
{
	atomic_store(&s->done, 1);
	pthread_join(s->thread, NULL);
}

/* A run that may sleep reads objects as others do. */
TEST(local_memory_waits_for_runs_that_sleep)
{
	struct sleeper s;
	struct locals l;
	struct plain *p;

	locals_open(&l);
	sleeper_start(&s, l.host);
	for (u32 round = 0; round < 200; round++) {
		struct slot_ctx *slot = fixture_enter(l.host);

		if (!round) {
			p = local_new(l.plain);
			p->a = 7;
			local_drop(l.plain, p);
		}
		for (u32 i = 0; i < 20; i++) {
			struct plain *q = local_new(l.plain);

			CHECK(q && q != p);
			q->a = 8;
			local_drop(l.plain, q);
		}
		fixture_leave(slot);
	}
	CHECK_EQ(p->a, 7);
	sleeper_stop(&s);
	locals_close(&l);
}

/* One of another host holds up epochs, but not what waits in this host. */
TEST(local_memory_does_not_wait_for_other_hosts)
{
	struct pintle_host *other = fixture_host(RCU_DEFERRED_PUT);
	struct sleeper s;
	struct locals l;
	u64 before;

	locals_open(&l);
	before = heap_bytes(l.host);
	sleeper_start(&s, other);
	for (u32 round = 0; round < 100; round++) {
		struct slot_ctx *slot = fixture_enter(l.host);

		for (u32 i = 0; i < 4000; i++)
			local_drop(l.plain, local_new(l.plain));
		fixture_leave(slot);
		defer_drain(l.host);
	}
	CHECK(heap_bytes(l.host) - before <= 1 << 20);
	sleeper_stop(&s);
	fixture_free(other);
	locals_close(&l);
}

TEST(local_refcount_G7)
{
	struct locals l;
	struct node *n;

	locals_open(&l);
	n = node_new(&l, 1);
	CHECK(local_acquire(l.node, n) == n);
	CHECK_EQ(n->refs, 2);
	local_drop(l.node, n);
	CHECK_EQ(local_type_live(l.node), 1);
	run_read_lock(l.host);
	local_drop(l.node, n);
	CHECK_EQ(local_type_live(l.node), 0);
	CHECK(!local_acquire(l.node, n)); /* a reader that comes too late */
	run_read_unlock(l.host);
	locals_close(&l);
}

TEST(local_refcount_saturates_F15)
{
	struct locals l;
	struct node *n;

	locals_open(&l);
	n = node_new(&l, 1);
	n->refs = UINT32_MAX / 2;
	CHECK(local_acquire(l.node, n) == n);
	local_drop(l.node, n);
	CHECK_EQ(n->refs, UINT32_MAX / 2);
	n->refs = 1;
	local_drop(l.node, n);
	locals_close(&l);
}

TEST(M24_nested_slot_dropped)
{
	struct locals l;
	struct node *n;

	locals_open(&l);
	n = node_new(&l, 1);
	n->thing = thing_new();
	n->plain = local_new(l.plain);
	local_drop(l.node, n);
	CHECK_EQ(local_type_live(l.plain), 0); /* at once: nothing of the host runs */
	CHECK_EQ(things_put, 0);		/* J22: at a safe point */
	defer_drain(l.host);
	CHECK_EQ(things_put, 1);
	locals_close(&l);
}

/* F10, of an object: who still saw it filled it again. */
TEST(local_filled_again_after_death)
{
	struct locals l;
	struct slot_ctx *slot;
	struct node *n;

	locals_open(&l);
	slot = fixture_enter(l.host);
	n = node_new(&l, 1);
	local_drop(l.node, n);
	field_xchg(&n->thing, thing_new());
	fixture_leave(slot);
	defer_drain(l.host);
	CHECK_EQ(things_put, 1);
	locals_close(&l);
}

/* ------------------------------------------------------------------ limits */

TEST(local_limit_of_bytes)
{
	struct locals l;
	struct plain *p, *list = NULL;
	u32 n = 0;

	locals_open(&l);
	heap_charge(l.host, (256 << 20) - (200 << 10)); /* of 256 MiB */
	while ((p = local_new(l.plain))) {
		p->a = ARG(list);
		list = p;
		CHECK(n++ < 100000);
	}
	CHECK(n >= 3 * 65000 / 32);
	for (; list; list = p) {
		p = (struct plain *)(uintptr_t)list->a;
		local_drop(l.plain, list);
	}
	heap_uncharge(l.host, (256 << 20) - (200 << 10));
	locals_close(&l);
}

TEST(local_without_memory)
{
	struct locals l;
	struct plain *p;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	locals_open(&l);
	fail_alloc_at(1);
	p = local_new(l.plain);
	fail_alloc_off();
	CHECK(!p);
	p = local_new(l.plain);
	CHECK(p);
	local_drop(l.plain, p);
	fail_alloc_at(1);
	CHECK(!percpu_new(l.plain));
	fail_alloc_off();
	locals_close(&l);
}

/* ------------------------------------------------------------------ lists */

static u64 push_back(const struct locals *l, struct lvalue *v, struct node *n)
{
	return list_push_back(ARG(v->head), ARG(n->ln), ARG(l->node), offsetof(struct node, ln));
}

static u64 push_front(const struct locals *l, struct lvalue *v, struct node *n)
{
	return list_push_front(ARG(v->head), ARG(n->ln), ARG(l->node),
			       offsetof(struct node, ln));
}

static struct node *node_at(u64 ln)
{
	return ln ? container_of((u64 *)(uintptr_t)ln, struct node, ln[0]) : NULL;
}

TEST(graph_list_order)
{
	struct locals l;
	struct lvalue v = {0};
	static const u64 want[] = {1, 2, 3, 4};

	locals_open(&l);
	CHECK(!list_pop_front(ARG(v.head)) && !list_pop_back(ARG(v.head)));
	CHECK(!list_front(ARG(v.head)) && !list_back(ARG(v.head)));
	CHECK_EQ(push_back(&l, &v, node_new(&l, 3)), 0);
	CHECK_EQ(push_front(&l, &v, node_new(&l, 2)), 0);
	CHECK_EQ(push_back(&l, &v, node_new(&l, 4)), 0);
	CHECK_EQ(push_front(&l, &v, node_new(&l, 1)), 0);
	CHECK_EQ(node_at(list_front(ARG(v.head)))->key, 1);
	CHECK_EQ(node_at(list_back(ARG(v.head)))->key, 4);
	for (u32 i = 0; i < 4; i++) {
		struct node *n = node_at(i == 3 ? list_pop_back(ARG(v.head))
						: list_pop_front(ARG(v.head)));

		CHECK_EQ(n->key, want[i]);
		local_drop(l.node, n);
	}
	CHECK(!v.head[0] && !v.head[1]);
	locals_close(&l);
}

TEST(N18_failed_add_drops_its_reference)
{
	struct locals l;
	struct lvalue v = {0}, w = {0};
	struct node *n;

	locals_open(&l);
	n = node_new(&l, 1);
	CHECK(local_acquire(l.node, n) == n);
	CHECK_EQ(push_back(&l, &v, n), 0);
	CHECK_EQ((s64)push_back(&l, &w, n), -EINVAL);
	CHECK_EQ(n->refs, 1);
	CHECK(!list_front(ARG(w.head)));
	local_drop(l.node, node_at(list_pop_front(ARG(v.head))));
	locals_close(&l);
}

TEST(graph_list_destroyed_with_its_value_F6)
{
	struct locals l;
	struct lvalue v = {0};
	struct node *kept;

	locals_open(&l);
	for (u32 i = 0; i < 100000; i++) {
		struct node *n = node_new(&l, i);

		n->thing = i % 1000 ? NULL : thing_new();
		CHECK_EQ(push_back(&l, &v, n), 0);
	}
	kept = node_at(list_front(ARG(v.head)));
	CHECK(local_acquire(l.node, kept));
	fields_destroy(l.host, l.value, &v);
	CHECK(!v.lock && !v.head[0] && !v.head[1]);
	CHECK_EQ(local_type_live(l.node), 1);
	defer_drain(l.host);
	CHECK_EQ(things_put, 99);
	CHECK_EQ(push_back(&l, &v, kept), 0); /* it is in no list now */
	fields_destroy(l.host, l.value, &v);
	locals_close(&l);
}

/* ------------------------------------------------------------------ trees */

static struct node *tree_node(u64 rn)
{
	return rn ? container_of((u64 *)(uintptr_t)rn, struct node, rn[0]) : NULL;
}

/* A program of two instructions' worth: less(a, b) of struct node by key. */
static const struct code *less_code(void)
{
	static struct code_insn insns[] = {
		{OP_LDX64, R1, R1, -(s32)offsetof(struct node, rn)},
		{OP_LDX64, R2, R2, -(s32)offsetof(struct node, rn)},
		{OP_MOV64_IMM, R0, .imm = 1},
		{OP_JLT64_REG, R1, R2, 1},
		{OP_MOV64_IMM, R0, .imm = 0},
		{OP_EXIT},
	};
	static struct code code = {.insns = insns, .ninsns = ARRAY_SIZE(insns), .nsubprogs = 1,
				   .stack_size = 16};

	return &code;
}

static u64 tree_add(const struct locals *l, struct lvalue *v, struct node *n)
{
	static struct code_func less;

	less = (struct code_func){less_code(), 0};
	return rbtree_add(ARG(v->root), ARG(n->rn), ARG(&less), ARG(l->node),
			  offsetof(struct node, rn));
}

static u32 depth_of(u64 root, u64 rn)
{
	u32 left, right;

	if (!rn)
		return 0;
	left = depth_of(root, rbtree_left(root, rn));
	right = depth_of(root, rbtree_right(root, rn));
	return 1 + max_u32(left, right);
}

enum { NODES = 4000 };

TEST(graph_tree_sorts)
{
	struct locals l;
	struct slot_ctx *slot;
	struct lvalue v = {0};
	struct node *n, *all[NODES];
	u64 last = 0;

	locals_open(&l);
	slot = fixture_enter(l.host);
	CHECK(!rbtree_first(ARG(v.root)) && !rbtree_root(ARG(v.root)));
	for (u64 i = 0; i < NODES; i++) {
		all[i] = node_new(&l, i < NODES / 2 ? i : i * 2654435761u % 100000);
		CHECK_EQ(tree_add(&l, &v, all[i]), 0);
	}
	CHECK(depth_of(ARG(v.root), rbtree_root(ARG(v.root))) < 60); /* log: about 30 */
	for (u32 i = 0; i < NODES; i += 3) {
		CHECK_EQ(rbtree_remove(ARG(v.root), ARG(all[i]->rn)), ARG(all[i]->rn));
		CHECK(!rbtree_remove(ARG(v.root), ARG(all[i]->rn)));
		local_drop(l.node, all[i]);
	}
	for (u32 i = NODES - (NODES + 2) / 3; i; i--) {
		n = tree_node(rbtree_first(ARG(v.root)));
		CHECK(n && n->key >= last);
		last = n->key;
		CHECK(rbtree_remove(ARG(v.root), ARG(n->rn)));
		local_drop(l.node, n);
	}
	CHECK(!v.root[0] && !v.root[1]);
	fixture_leave(slot);
	locals_close(&l);
}

TEST(graph_tree_destroyed_with_its_value_F6)
{
	struct locals l;
	struct slot_ctx *slot;
	struct lvalue v = {0}, w = {0};
	struct node *n;

	locals_open(&l);
	slot = fixture_enter(l.host);
	for (u32 i = 0; i < 1000; i++) {
		n = node_new(&l, i * 7 % 1000);
		n->plain = local_new(l.plain);
		CHECK(local_acquire(l.node, n));
		CHECK_EQ(tree_add(&l, &v, n), 0);
		CHECK_EQ(push_back(&l, &w, n), 0); /* in both */
	}
	v.one = node_new(&l, 1);
	CHECK(!rbtree_remove(ARG(w.root), ARG(n->rn))); /* of another root */
	fixture_leave(slot);
	fields_destroy(l.host, l.value, &v);
	CHECK(!v.root[0] && !v.root[1] && !v.one);
	CHECK_EQ(local_type_live(l.node), 1000);
	fields_destroy(l.host, l.value, &w);
	locals_close(&l);
}

/* ------------------------------------------------------------------ maps */

TEST(local_fields_of_map_values)
{
	struct locals l;
	struct image_map def;
	struct lvalue *v;
	struct map *map;
	u32 key = 1;

	locals_open(&l);
	def = fixture_def(MAP_ARRAY, 4, 0, l.value_record);
	def.value_size = sizeof(*v);
	map = fixture_map(l.host, &def);
	v = map->ops->lookup(map, &key);
	CHECK_EQ(push_back(&l, v, node_new(&l, 1)), 0);
	field_xchg(&v->one, node_new(&l, 2));
	field_xchg(&v->percpu, percpu_new(l.plain));
	CHECK_EQ(local_type_live(l.plain), 1);
	map_put(map);
	locals_close(&l);
}

/* ------------------------------------------------------------------ copies for slots */

TEST(percpu_object_has_a_copy_for_each_slot)
{
	struct locals l;
	struct slot_ctx *slot;
	struct plain *mine;
	void *handle;

	locals_open(&l);
	slot = fixture_enter(l.host);
	handle = percpu_new(l.plain);
	CHECK(handle);
	mine = (void *)(uintptr_t)helper_this_cpu_ptr(ARG(handle), 0, 0, 0, 0);
	CHECK(mine && !mine->a && !mine->b);
	CHECK_EQ(helper_per_cpu_ptr(ARG(handle), slot->index, 0, 0, 0), ARG(mine));
	for (u32 i = 0; i < slot_count(l.host); i++) {
		u64 at = helper_per_cpu_ptr(ARG(handle), i, 0, 0, 0);

		CHECK(at && at % 64 == 0);
	}
	CHECK(!helper_per_cpu_ptr(ARG(handle), slot_count(l.host), 0, 0, 0));
	CHECK(!helper_per_cpu_ptr(ARG(handle), UINT32_MAX, 0, 0, 0));
	percpu_drop(l.plain, handle);
	mine->a = 1; /* whoever still sees it may write it */
	fixture_leave(slot);
	locals_close(&l);
}

/* ------------------------------------------------------------------ speed */

TEST(local_new_and_drop_is_fast)
{
	struct locals l;
	struct slot_ctx *slot;
	struct timespec a, b;
	double best = 1e9;

	locals_open(&l);
	for (u32 round = 0; round < 20; round++) {
		slot = fixture_enter(l.host);
		clock_gettime(CLOCK_MONOTONIC, &a);
		for (u32 i = 0; i < 1000; i++)
			local_drop(l.plain, local_new(l.plain));
		clock_gettime(CLOCK_MONOTONIC, &b);
		fixture_leave(slot);
		defer_drain(l.host);
		double ns = (double)(b.tv_sec - a.tv_sec) * 1e6 +
			    (double)(b.tv_nsec - a.tv_nsec) / 1e3;
		best = ns < best ? ns : best;
	}
	if (getenv("PINTLE_TEST_TIMES"))
		fprintf(stderr, "new and drop: %.1f ns\n", best);
	CHECK(best < 2000); /* a hundred times its due: what is slow is a mistake */
	locals_close(&l);
}
