/* SPDX-License-Identifier: MIT
 *
 * fault_book.c: fault-safe loads as programs make them: cases A01-A05 and A08 of the rule
 * book (A06 and A07 are verdicts).
 */
#include "test.h"

#include "unit/bare.h"

#include <sys/mman.h>
#include <unistd.h>

/* r0 of one load through r1, lowered as a load that may fault. */
static u64 load_at(const char *load, u64 addr, u64 *faults, const struct link *link,
		   const struct btf *pool)
{
	struct bare b;
	char text[128];
	u64 result;

	snprintf(text, sizeof(text), "r0 = -1\n%s\nexit\n", load);
	bare_make(&b, text);
	b.proof->at[1].access = ACCESS_FAULT_SAFE;
	b.proof->at[1].pool_btf = pool;
	if (bare_lower(&b, link))
		test_fail(__FILE__, __LINE__, "%s", b.log.error);
	result = bare_run(&b, addr, 0);
	*faults = slot_get(&b.host)->faults;
	bare_free(&b);
	return result;
}

/* Kept: another mapping must not take its place. */
static u64 unmapped(void)
{
	static void *p;

	if (!p)
		p = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	return (uintptr_t)p;
}

static void gives_zero(const char *load, u64 addr)
{
	u64 faults;

	CHECK_EQ(load_at(load, addr, &faults, NULL, NULL), 0);
	CHECK_EQ(faults, 1); /* J13: nothing is reported, but counted */
}

TEST(A01_bad_addresses_read_as_zero)
{
	static const char load[] = "r0 = *(u64 *)(r1 +8)";

	gives_zero(load, 0);
	gives_zero(load, 0x1000);
	gives_zero(load, unmapped());
	gives_zero(load, 0x8000000000000000); /* non-canonical */
	gives_zero(load, 0x00007ffffffff000);
	gives_zero(load, 0xffff888000000000);
	gives_zero(load, UINT64_MAX - 64);
	gives_zero(load, UINT64_MAX - 3); /* wraps round */
}

TEST(A02_the_whole_register_is_zero)
{
	u64 at = unmapped();

	gives_zero("r0 = *(u8 *)(r1 +0)", at);
	gives_zero("r0 = *(u16 *)(r1 +0)", at);
	gives_zero("r0 = *(u32 *)(r1 +0)", at);
}

TEST(A03_sign_extending_loads)
{
	static const s32 minus = -5;
	u64 at = unmapped(), faults;

	gives_zero("r0 = *(s8 *)(r1 +0)", at);
	gives_zero("r0 = *(s16 *)(r1 +0)", at);
	gives_zero("r0 = *(s32 *)(r1 +0)", at);
	CHECK_EQ((s64)load_at("r0 = *(s32 *)(r1 +0)", (uintptr_t)&minus, &faults, NULL, NULL),
		 -5);
	CHECK_EQ(faults, 0);
}

/* --- A04: regions --- */

static const u64 inside[2] = {11, 12}, outside = 13;

static void *the_pool(void *data, const struct btf *btf, u32 type)
{
	return data;
}

TEST(A04_region_only)
{
	struct pintle_host *host = pintle_host_new(NULL);
	const struct btf *btf;
	struct link link = {.pool = the_pool};
	u64 faults, at = (uintptr_t)inside;
	u32 type;

	CHECK(host && !pintle_host_add_self(host));
	CHECK_EQ(pintle_pool_add(host, "no_such", inside, 8), -ENOENT);
	CHECK_EQ(pintle_pool_add(host, "T", inside, 0), -EINVAL);
	CHECK_EQ(pintle_pool_add(host, "T", inside, sizeof(inside)), 0);
	CHECK(abi_find_struct(&host->abi, "T", &btf, &type));
	CHECK(abi_pooled(&host->abi, btf, type));
	link.data = (void *)(uintptr_t)pool_find(host, btf, type);
	CHECK_EQ(load_at("r0 = *(u64 *)(r1 +0)", at, &faults, &link, btf), 11);
	CHECK_EQ(load_at("r0 = *(u64 *)(r1 +8)", at, &faults, &link, btf), 12);
	CHECK_EQ(load_at("r0 = *(s32 *)(r1 -8)", at + 16, &faults, &link, btf), 12);
	CHECK_EQ(faults, 0);
	CHECK_EQ(load_at("r0 = *(u64 *)(r1 +16)", at, &faults, &link, btf), 0);
	CHECK_EQ(load_at("r0 = *(u64 *)(r1 +12)", at, &faults, &link, btf), 0);
	CHECK_EQ(load_at("r0 = *(u64 *)(r1 -8)", at, &faults, &link, btf), 0);
	CHECK_EQ(load_at("r0 = *(u64 *)(r1 +0)", (uintptr_t)&outside, &faults, &link, btf), 0);
	CHECK_EQ(faults, 1);
	CHECK_EQ(pintle_pool_add(host, "T", &outside, 8), 0); /* it grows */
	CHECK_EQ(load_at("r0 = *(u64 *)(r1 +0)", (uintptr_t)&outside, &faults, &link, btf), 13);
	pintle_host_free(host);
}

TEST(A04_without_a_pool_nothing_is_read)
{
	struct pintle_host *host =
		pintle_host_new(PINTLE_OPTS(pintle_host_opts, .probe_region = true));
	const struct btf *btf;
	struct link link = {.pool = the_pool};
	u64 faults;
	u32 type;

	CHECK(host && !pintle_host_add_self(host));
	CHECK(abi_find_struct(&host->abi, "U", &btf, &type));
	CHECK(abi_pooled(&host->abi, btf, type));
	link.data = (void *)(uintptr_t)pool_find(host, btf, type);
	CHECK_EQ(load_at("r0 = *(u64 *)(r1 +0)", (uintptr_t)inside, &faults, &link, btf), 0);
	CHECK_EQ(pools_room(host, (uintptr_t)inside), 0);
	CHECK_EQ(pintle_pool_add(host, "U", inside, 16), 0);
	CHECK_EQ(pools_room(host, (uintptr_t)inside + 4), 12);
	pintle_host_free(host);
}

/* A08: no promise of order, and no crash. */
TEST(A08_load_acquire_at_a_bad_address)
{
	gives_zero("r0 = load_acquire((u64 *)(r1 +0))", unmapped());
}
