/* SPDX-License-Identifier: MIT
 *
 * seqlock.c: reading what a field holds without raising its count (rule book section H):
 * cases A09-A13. Threads stand for programs: they use the operations that programs are
 * lowered to.
 */
#include "map_fixture.h"

#include "run/helper/helpers.h"

#include <pthread.h>

enum { POISON = 0xdead, GOOD = 0x600d, READERS = 2, ROUNDS = 60000 };

#define ARG(p) ((u64)(uintptr_t)(p))

struct cell { /* an object of the host whose memory is used again at once */
	atomic(u32) tag, copy;
};

struct sv { /* a value: with a plain member, or the engine's own version */
	u64 seq;
	struct cell *slot;
};

static struct cell cells[64];
static atomic(u32) next_cell, stop;

static struct cell *cell_new(void)
{
	struct cell *c = &cells[atomic_fetch_add(&next_cell, 1) % ARRAY_SIZE(cells)];

	atomic_store_explicit(&c->tag, GOOD, memory_order_relaxed);
	return c;
}

static void cell_free(struct cell *c)
{
	if (c)
		atomic_store_explicit(&c->tag, POISON, memory_order_relaxed);
}

static u64 load_acquire(u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* H2, H9: whether what was read counts; *tag of the object in the slot. */
static bool read_checked(struct sv *v, u32 *tag)
{
	u64 s1 = load_acquire(&v->seq), s2;
	struct cell *c = __atomic_load_n(&v->slot, __ATOMIC_ACQUIRE);

	if (!c)
		return false;
	*tag = atomic_load_explicit(&c->tag, memory_order_acquire);
	/* A13: a read-modify-write with fetch on any word is a full fence. */
	__atomic_fetch_add(&(u64){0}, 0, __ATOMIC_SEQ_CST);
	s2 = __atomic_load_n(&v->seq, __ATOMIC_RELAXED);
	return !(s1 & 1) && s1 == s2;
}

struct reader {
	struct sv *v;
	u64 good, bad;
	pthread_t thread;
};

static void *reader(void *data)
{
	struct reader *r = data;
	u32 tag = 0;

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		if (!read_checked(r->v, &tag))
			continue;
		r->good += tag == GOOD;
		r->bad += tag != GOOD;
	}
	return NULL;
}

static void readers_start(struct reader *r, struct sv *v)
{
	atomic_store(&stop, 0);
	for (u32 i = 0; i < READERS; i++) {
		r[i] = (struct reader){v};
		CHECK_EQ(pthread_create(&r[i].thread, NULL, reader, &r[i]), 0);
	}
}

/* How many validated reads saw an object that was given back. */
static u64 readers_end(struct reader *r)
{
	u64 bad = 0;

	atomic_store(&stop, 1);
	for (u32 i = 0; i < READERS; i++) {
		pthread_join(r[i].thread, NULL);
		bad += r[i].bad;
	}
	return bad;
}

TEST(A09_seqlock_single_writer)
{
	static struct sv v;
	struct reader r[READERS];

	readers_start(r, &v);
	for (u32 i = 0; i < ROUNDS; i++) {
		struct cell *old;

		__atomic_store_n(&v.seq, v.seq + 1, __ATOMIC_RELAXED); /* as STX */
		old = field_xchg(&v.slot, cell_new());
		__atomic_store_n(&v.seq, v.seq + 1, __ATOMIC_RELAXED);
		cell_free(old);
	}
	CHECK_EQ(readers_end(r), 0);
	CHECK_EQ(v.seq, 2 * ROUNDS);
}

/* --- A10: the engine's version counts what empties fields, too --- */

static struct { u32 n; struct field f[2]; } seq_record = {
	2, {{.kind = FIELD_SEQ, .off = 0, .size = 8, .path = "v.seq"},
	    {.kind = FIELD_REF, .off = 8, .size = 8, .type = 1, .path = "v.slot"}}};

static void put_cell(void *obj)
{
	cell_free(obj);
}

static struct fields *seq_fields(struct pintle_host *host)
{
	struct fields *fields;

	seq_record.f[1].btf = fixture_storable(host)->btf;
	fixture_storable(host)->dtor = put_cell;
	CHECK_EQ(fields_create(NULL, host, "v", (const struct record *)&seq_record, &fields), 0);
	return fields;
}

TEST(H6_version_counts_exchanges_and_destruction)
{
	struct pintle_host *host = fixture_host(RCU_NONE);
	struct fields *fields = seq_fields(host);
	struct sv v = {0}, out = {7, NULL};

	CHECK_EQ(fields->seq_off, 0);
	CHECK(!helper_kptr_xchg(ARG(&v.slot), ARG(cell_new()), ARG(&v.seq), 0, 0));
	CHECK_EQ(v.seq, 2);
	fields_destroy(host, fields, &v);
	CHECK_EQ(v.seq, 4);
	CHECK(!v.slot);
	fields_copy_in(fields, &v, &out, sizeof(v)); /* no caller writes it, */
	CHECK_EQ(v.seq, 4);
	fields_copy_out(fields, &out, &v, sizeof(v)); /* none outside sees it */
	CHECK_EQ(out.seq, 0);
	defer_drain(host);
	fields_free(fields);
	fixture_free(host);
}

struct deleter {
	struct pintle_host *host;
	struct fields *fields;
	struct sv *v;
};

/* A key's deletion, over and over: what it takes is put at once. */
static void *delete_it(void *data)
{
	struct deleter *d = data;

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		fields_destroy(d->host, d->fields, d->v);
		defer_drain(d->host);
	}
	return NULL;
}

TEST(A10_seqlock_with_deletes_as_writers)
{
	static struct sv v;
	struct pintle_host *host = fixture_host(RCU_NONE);
	struct deleter d = {host, seq_fields(host), &v};
	struct reader r[READERS];
	pthread_t t;

	readers_start(r, &v);
	CHECK_EQ(pthread_create(&t, NULL, delete_it, &d), 0);
	for (u32 i = 0; i < ROUNDS / 4; i++) {
		struct cell *old = (void *)(uintptr_t)helper_kptr_xchg(
			ARG(&v.slot), ARG(cell_new()), ARG(&v.seq), 0, 0);

		cell_free(old);
	}
	CHECK_EQ(readers_end(r), 0);
	pthread_join(t, NULL);
	CHECK_EQ(v.seq % 2, 0);
	fields_destroy(host, d.fields, &v);
	defer_drain(host);
	fields_free(d.fields);
	fixture_free(host);
}

/* A11, H5a: with a plain counter, two writers make it even while both are inside; the
 * interleaving that fools a reader, step by step. */
TEST(A11_two_writers_fool_a_plain_counter)
{
	struct sv v = {0};
	struct cell *c, *old;
	u64 s1, s2;

	v.slot = cell_new();
	v.seq++; /* writer A */
	v.seq++; /* writer B: even again */
	s1 = v.seq;
	c = v.slot;
	old = field_xchg(&v.slot, cell_new()); /* B */
	cell_free(old);
	s2 = v.seq;
	CHECK(!(s1 & 1) && s1 == s2); /* the read is taken for good, */
	CHECK_EQ(c->tag, POISON);     /* but is not */

	/* the engine's version makes the second writer wait instead */
	v.seq = 0;
	seq_enter(&v.seq);
	CHECK_EQ(v.seq & 1, 1);
	seq_leave(&v.seq);
	CHECK_EQ(v.seq, 2);
}

/* The fence that programs have: a read-modify-write with fetch, between the loads of data
 * and the second of the version, which is then a plain load. */
TEST(A13_fetch_rmw_orders_data_before_version)
{
	static struct sv v;
	struct reader r[READERS];

	readers_start(r, &v);
	for (u32 i = 0; i < ROUNDS; i++)
		cell_free((void *)(uintptr_t)helper_kptr_xchg(ARG(&v.slot), ARG(cell_new()),
							      ARG(&v.seq), 0, 0));
	CHECK_EQ(readers_end(r), 0);
	CHECK(v.seq == 2 * ROUNDS);
}

/* --- A12 --- */

static struct cell fresh[ROUNDS + 1]; /* each is passed once */

static void *passer(void *data)
{
	struct sv *v = data;

	for (u32 i = 1; i <= ROUNDS; i++) {
		struct cell *c = &fresh[i];

		atomic_store_explicit(&c->tag, i, memory_order_relaxed);
		atomic_store_explicit(&c->copy, i, memory_order_relaxed);
		field_xchg(&v->slot, c);
	}
	atomic_store(&stop, 1);
	return NULL;
}

TEST(A12_initialised_before_it_is_seen)
{
	static struct sv v;
	pthread_t t;

	atomic_store(&stop, 0);
	CHECK_EQ(pthread_create(&t, NULL, passer, &v), 0);
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		struct cell *c = field_xchg(&v.slot, NULL); /* ours now */

		if (!c)
			continue;
		CHECK_EQ(atomic_load_explicit(&c->copy, memory_order_relaxed),
			 atomic_load_explicit(&c->tag, memory_order_relaxed));
	}
	pthread_join(t, NULL);
}
