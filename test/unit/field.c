/* SPDX-License-Identifier: MIT
 *
 * field.c: life of special fields: making, copies around them, destruction, exchange.
 */
#include "fail_alloc.h"
#include "map_fixture.h"

#include <pthread.h>

static struct fields *make(struct pintle_host *host, const struct record *rec)
{
	struct fields *fields = NULL;

	CHECK_EQ(fields_create(NULL, host, "map 'm'", rec, &fields), 0);
	return fields;
}

TEST(field_no_record_no_fields)
{
	struct fields *fields = (void *)1;
	struct record none = {0};

	CHECK_EQ(fields_create(NULL, NULL, "map 'm'", NULL, &fields), 0);
	CHECK(!fields);
	CHECK_EQ(fields_create(NULL, NULL, "map 'm'", &none, &fields), 0);
	CHECK(!fields);
	CHECK_EQ(fields_lock_off(NULL), -1);
	fields_destroy(NULL, NULL, NULL);
	fields_init(NULL, NULL);
	fields_free(NULL);
}

static void refused(struct field f, int err, const char *words)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct { u32 n; struct field f[2]; } rec = {2};
	struct fields *fields = (void *)1;
	struct log log = {0};

	rec.f[0] = value_record->fields[0];
	rec.f[1] = f;
	CHECK_EQ(fields_create(&log, host, "map 'm'", (struct record *)&rec, &fields),
		 err);
	CHECK(!fields);
	CHECK_HAS(log_text(&log), words);
	CHECK_HAS(log_text(&log), "map 'm': v.f");
	log_free(&log);
	fixture_free(host);
}

TEST(field_kinds_refused)
{
	struct field f = {.off = 8, .size = 8, .path = "v.f"};

	f.kind = NR_FIELD_KINDS; /* of a later version */
	refused(f, -ENOTSUP, "unsupported in this version");
	f.kind = FIELD_REF; /* a type nobody registered */
	refused(f, -ENOENT, "pintle_storable()");
}

TEST(field_copies_leave_fields_alone)
{
	struct pintle_host *host = fixture_host(RCU_NONE);
	struct fields *fields = make(host, value_record);
	struct value v, from, to;
	char odd[sizeof(v) + 1];

	memset(&v, 0x11, sizeof(v));
	memset(&from, 0xee, sizeof(from));
	memcpy(odd + 1, &from, sizeof(from)); /* callers' buffers have any alignment */
	fields_copy_in(fields, &v, odd + 1, sizeof(v));
	CHECK_EQ(v.lock, 0x11111111);
	CHECK((u64)v.one == 0x1111111111111111 && (u64)v.two == 0x1111111111111111);
	CHECK((u64)v.peek == 0x1111111111111111);
	CHECK(v.a == 0xeeeeeeee && v.b == 0xeeeeeeeeeeeeeeee);
	CHECK(!memcmp(v.tail, from.tail, sizeof(v.tail)));

	fields_copy_out(fields, odd + 1, &v, sizeof(v));
	memcpy(&to, odd + 1, sizeof(to));
	CHECK(!to.lock && !to.one && !to.two && !to.peek);
	CHECK(to.a == 0xeeeeeeee && to.b == 0xeeeeeeeeeeeeeeee);
	CHECK(!memcmp(to.tail, from.tail, sizeof(to.tail)));
	fields_free(fields);
	fixture_free(host);
}

TEST(field_copies_of_every_size)
{
	u64 a[8], b[8], c[8];

	for (u32 size = 0; size <= 40; size++) {
		for (u32 off = 0; off < 8; off++) {
			memset(b, 0, sizeof(b));
			memset(c, 0, sizeof(c));
			for (u32 i = 0; i < 64; i++)
				((u8 *)a)[i] = (u8)(i + size);
			fields_copy_in(NULL, (char *)b + off, (char *)a + 3, size);
			CHECK(!memcmp((char *)b + off, (char *)a + 3, size));
			CHECK(!((char *)b)[off + size]);
			fields_copy_out(NULL, (char *)c + 1, (char *)b + off, size);
			CHECK(!memcmp((char *)c + 1, (char *)a + 3, size));
		}
	}
}

TEST(field_destroy_once_and_deferred)
{
	struct pintle_host *host = fixture_host(RCU_DEFERRED_PUT);
	struct fields *fields = make(host, value_record);
	struct value v = {0};

	v.one = thing_new();
	v.peek = v.one;
	v.lock = 1;
	run_read_lock(host);
	fields_destroy(host, fields, &v);
	CHECK(!v.one && !v.two && !v.peek);
	CHECK_EQ(v.lock, 1);
	fields_destroy(host, fields, &v);
	defer_safe_point(host);
	CHECK_EQ(things_put, 0); /* not while the section is open */
	run_read_unlock(host);
	defer_drain(host);
	CHECK_EQ(things_put, 1);
	CHECK_EQ(fixture_storable(host)->destructed, 1);
	fields_free(fields);
	fixture_free(host);
}

TEST(field_create_without_memory)
{
	struct pintle_host *host = fixture_host(RCU_NONE);
	struct fields *fields = (void *)1;
	int err;

	if (!fail_alloc_works())
		SKIP("sanitizers have their own allocator");
	fail_alloc_at(1);
	err = fields_create(NULL, host, "map 'm'", value_record, &fields);
	fail_alloc_off();
	CHECK_EQ(err, -ENOMEM);
	CHECK(!fields);
	fixture_free(host);
}

TEST(M23_destructor_never_gets_null)
{
	struct pintle_host *host = fixture_host(RCU_NONE);
	struct fields *fields = make(host, value_record);
	struct value v = {0};

	fields_destroy(host, fields, &v);
	v.one = thing_new();
	thing_put(field_xchg(&v.one, NULL));
	things_put = 0;
	fields_destroy(host, fields, &v);
	defer_drain(host);
	CHECK_EQ(things_put, 0); /* it aborts for NULL, too */
	fields_free(fields);
	fixture_free(host);
}

/* ------------------------------------------------------------------ M15 */

enum { THREADS = 4, EXCHANGES = 250000 };

struct racer {
	struct pintle_host *host;
	void **slot;
	pthread_t thread;
};

static void *exchange(void *data)
{
	struct racer *r = data;

	for (u32 i = 0; i < EXCHANGES; i++) {
		void *old = field_xchg(r->slot, i % 3 ? thing_new() : NULL);

		if (old)
			thing_put(old);
	}
	return NULL;
}

TEST(field_million_exchanges_net_zero)
{
	struct pintle_host *host = fixture_host(RCU_NONE);
	struct fields *fields = make(host, value_record);
	struct racer r[THREADS];
	struct value v = {0};

	for (u32 i = 0; i < THREADS; i++) {
		r[i] = (struct racer){host, (void **)&v.one};
		CHECK_EQ(pthread_create(&r[i].thread, NULL, exchange, &r[i]), 0);
	}
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(r[i].thread, NULL);
	fields_destroy(host, fields, &v);
	fields_free(fields);
	fixture_free(host); /* nothing alive */
}
