/* SPDX-License-Identifier: MIT
 *
 * local_race.c: threads that make, share, link, take out and drop objects, while others
 * delete the elements that hold them and list who holds what. Nothing is lost, nothing is
 * seen after its end. PINTLE_TEST_SECONDS makes it a stress test.
 */
#include "local_fixture.h"

#include "run/lock.h"

#include <pthread.h>
#include <time.h>

#define ARG(p) ((u64)(uintptr_t)(p))

enum { THREADS = 4, KEYS = 3, ROUNDS = 3000, MAGIC = 0x1234567 };

struct worker {
	pthread_t thread;
	struct locals *l;
	struct map *map;
	u32 seed, rounds;
	time_t until;
	const char *wrong; /* checks do not work off the test's thread */
};

static u32 random_of(struct worker *w)
{
	return (w->seed = w->seed * 1103515245 + 12345) >> 8;
}

static struct node *make(struct worker *w)
{
	struct node *n = local_new(w->l->node);

	if (!n)
		return NULL;
	n->key = MAGIC;
	if (random_of(w) % 2)
		n->thing = thing_new();
	if (random_of(w) % 4 == 0)
		n->plain = local_new(w->l->plain);
	return n;
}

/* By address: any order will do. */
static const struct code_func *less_func(void)
{
	static struct code_insn insns[] = {
		{OP_MOV64_IMM, R0, .imm = 1},
		{OP_JLT64_REG, R1, R2, 1},
		{OP_MOV64_IMM, R0, .imm = 0},
		{OP_EXIT},
	};
	static struct code code = {.insns = insns, .ninsns = ARRAY_SIZE(insns), .nsubprogs = 1,
				   .stack_size = 16};
	static struct code_func func = {&code, 0};

	return &func;
}

/* Into both; each takes one reference. */
static void link_both(struct worker *w, struct lvalue *v)
{
	struct node *n = make(w);
	u64 type = ARG(w->l->node);

	if (!n)
		return;
	local_acquire(w->l->node, n);
	lock_take(&v->lock);
	list_push_back(ARG(v->head), ARG(n->ln), type, offsetof(struct node, ln));
	rbtree_add(ARG(v->root), ARG(n->rn), ARG(less_func()), type, offsetof(struct node, rn));
	lock_drop(&v->lock);
}

static void drop(struct worker *w, u64 at, size_t off)
{
	struct node *n = (void *)(uintptr_t)(at - off);

	if (!at)
		return;
	if (n->key != MAGIC)
		w->wrong = "took out an object that was not alive";
	local_drop(w->l->node, n);
}

static void take_out(struct worker *w, struct lvalue *v)
{
	u64 ln, rn;

	lock_take(&v->lock);
	ln = random_of(w) % 2 ? list_pop_front(ARG(v->head)) : list_pop_back(ARG(v->head));
	rn = rbtree_first(ARG(v->root));
	rn = rn ? rbtree_remove(ARG(v->root), rn) : 0;
	lock_drop(&v->lock);
	drop(w, ln, offsetof(struct node, ln));
	drop(w, rn, offsetof(struct node, rn));
}

static void exchange(struct worker *w, struct lvalue *v)
{
	struct node *old = field_xchg(&v->one, make(w));
	void *percpu = field_xchg(&v->percpu, percpu_new(w->l->plain));

	if (old)
		local_drop(w->l->node, old);
	if (percpu)
		percpu_drop(w->l->plain, percpu);
}

/* LOCAL-RCU: the bytes stay, a reference may come too late (G7). */
static void look(struct worker *w, struct lvalue *v)
{
	struct node *n = __atomic_load_n(&v->one, __ATOMIC_ACQUIRE);

	if (!n)
		return;
	if (n->key != MAGIC)
		w->wrong = "read an object that was not alive";
	if (local_acquire(w->l->node, n))
		local_drop(w->l->node, n);
}

static void step(struct worker *w)
{
	static const struct lvalue fresh;
	u32 key = random_of(w) % KEYS;
	struct lvalue *v;

	if (random_of(w) % 16 == 0)
		w->map->ops->remove(w->map, &key);
	w->map->ops->update(w->map, &key, &fresh, MAP_NOEXIST);
	v = w->map->ops->lookup(w->map, &key);
	if (!v)
		return;
	link_both(w, v);
	take_out(w, v);
	exchange(w, v);
	look(w, v);
}

static void *work(void *data)
{
	struct worker *w = data;

	for (u32 i = 0; (i < ROUNDS || time(NULL) < w->until) && !w->wrong; i++) {
		struct slot_ctx *slot = slot_get(w->l->host);

		run_read_lock(w->l->host);
		slot_swap(slot);
		step(w);
		fixture_leave(slot);
		if (i % 256 == 0)
			pintle_refs_each(w->l->host, "thing", NULL, NULL, NULL);
	}
	return NULL;
}

TEST(race_objects_of_programs)
{
	const char *seconds = getenv("PINTLE_TEST_SECONDS");
	struct locals l;
	struct image_map def;
	struct worker w[THREADS];
	struct map *map;
	static char name[] = "thing";

	locals_open(&l);
	fixture_storable(l.host)->name = name;
	def = fixture_def(MAP_HASH, KEYS, 0, l.value_record);
	def.value_size = sizeof(struct lvalue);
	map = fixture_map(l.host, &def);
	for (u32 i = 0; i < THREADS; i++) {
		w[i] = (struct worker){.l = &l, .map = map, .seed = i + 1,
				       .until = time(NULL) + (seconds ? atoi(seconds) : 0)};
		CHECK_EQ(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(w[i].thread, NULL);
	for (u32 i = 0; i < THREADS; i++)
		if (w[i].wrong)
			test_fail(__FILE__, __LINE__, "worker %u: %s", i, w[i].wrong);
	map_put(map);
	locals_close(&l); /* nothing is left */
}
