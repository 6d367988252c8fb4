/* SPDX-License-Identifier: MIT
 *
 * buffer.c: pinned user buffers: registration, fields that pin them, release.
 */
#include "map_fixture.h"
#include "btf_build.h"

#include "run/memory/buffer.h"

static atomic(u32) released;

static void on_release(void *data)
{
	atomic_fetch_add(&released, 1);
}

static u64 memory[16];

TEST(buffer_is_checked)
{
	struct pintle_host *host = fixture_host(RCU_NONE);
	struct pintle_buffer *b;

	released = 0;
	CHECK(!pintle_buffer_add(host, 0x1000, NULL, 8, NULL, NULL));
	CHECK(!pintle_buffer_add(host, 0x1000, memory, 0, NULL, NULL));
	CHECK(!pintle_buffer_add(host, 0x1000, (char *)memory + 4, 8, NULL, NULL));
	b = pintle_buffer_add(host, 0x1000, memory, 64, on_release, NULL);
	CHECK(b);
	CHECK(!pintle_buffer_add(host, 0x1038, memory + 8, 8, NULL, NULL));
	CHECK_HAS(pintle_host_error(host), "overlaps");
	CHECK(!pintle_buffer_add(host, 0x2000, memory + 7, 16, NULL, NULL));
	pintle_buffer_close(b);
	pintle_buffer_close(NULL);
	defer_drain(host);
	CHECK_EQ(released, 1);
	fixture_free(host);
}

static struct { u32 n; struct field f[1]; } rec = {
	1, {{.kind = FIELD_UPTR, .off = 8, .size = 8, .local = true, .path = "v.area"}}};

struct uvalue {
	u64 plain;
	u64 *area;
};

/* struct area of 24 bytes: what a field pins. */
static struct fields *uptr_fields(struct pintle_host *host)
{
	static struct bb b;
	struct fields *fields;

	if (!rec.f[0].btf) {
		u32 u;

		bb_init(&b, NULL);
		u = bb_int(&b, "unsigned long", 8);
		rec.f[0].type = bb_struct(&b, "area", 24, {"a", bb_array(&b, u, 3), 0});
		rec.f[0].btf = bb_open(&b, "areas");
	}
	CHECK_EQ(fields_create(NULL, host, "v", (const struct record *)&rec, &fields), 0);
	CHECK(fields_have_uptr(fields));
	return fields;
}

static int set(struct pintle_host *host, struct fields *fields, struct uvalue *v, u64 user)
{
	const struct uvalue from = {1, (u64 *)(uintptr_t)user};
	void *pins[1];

	TRY(uptrs_pin(host, fields, &from, pins));
	uptrs_store(host, fields, v, pins);
	return 0;
}

/* U21: only what lies in one buffer; U22: nobody outside sees the address. */
TEST(U21_uptr_fields_pin_what_is_registered)
{
	struct pintle_host *host = fixture_host(RCU_NONE);
	struct fields *fields = uptr_fields(host);
	struct pintle_buffer *b = pintle_buffer_add(host, 0x1000, memory, 64, on_release, NULL);
	struct uvalue v = {0};

	released = 0;
	CHECK_EQ(set(host, fields, &v, 0xfff), -EFAULT);
	CHECK_EQ(set(host, fields, &v, 0x1000 + 48), -EFAULT); /* ends outside */
	CHECK_HAS(pintle_host_error(host), "v.area: the 24 bytes at 0x1030");
	CHECK_EQ(set(host, fields, &v, 0x1004), -EFAULT); /* not aligned */
	CHECK(!v.area);
	CHECK_EQ(set(host, fields, &v, 0x1008), 0);
	CHECK(v.area == memory + 1);
	CHECK_EQ(set(host, fields, &v, 0x1010), 0);
	CHECK(v.area == memory + 2);
	pintle_buffer_close(b);
	defer_drain(host);
	CHECK_EQ(released, 0); /* the field keeps it */
	CHECK_EQ(set(host, fields, &v, 0x1008), -EFAULT);
	CHECK(v.area == memory + 2);
	run_read_lock(host);
	fields_destroy(host, fields, &v);
	CHECK(!v.area);
	defer_safe_point(host);
	CHECK_EQ(released, 0); /* a run may still use it */
	run_read_unlock(host);
	defer_drain(host);
	CHECK_EQ(released, 1);
	fields_free(fields);
	fixture_free(host);
}

TEST(U22_lookup_shows_zero)
{
	struct pintle_host *host = fixture_host(RCU_NONE);
	struct fields *fields = uptr_fields(host);
	struct pintle_buffer *b = pintle_buffer_add(host, 0x1000, memory, 64, on_release, NULL);
	struct uvalue v = {5}, out = {7, memory};

	CHECK_EQ(set(host, fields, &v, 0x1000), 0);
	fields_copy_out(fields, &out, &v, sizeof(v));
	CHECK_EQ(out.plain, 5);
	CHECK(!out.area);
	CHECK_EQ(set(host, fields, &v, 0), 0); /* and NULL takes it away */
	CHECK(!v.area);
	pintle_buffer_close(b);
	fields_free(fields);
	fixture_free(host);
}
