/* SPDX-License-Identifier: MIT
 *
 * space_owner.c: programs read the memory of an object's own address space, whatever space
 * is current; and registration of such types.
 */
#include "fixture/host.h"
#include "run/run.h"
#include "test.h"

static int run(struct pintle_object *object, const char *name)
{
	uint64_t args[] = {(uint64_t)(uintptr_t)hook_t, 1}, result = 0;

	CHECK_EQ(pintle_prog_run(pintle_prog_find(object, name), args, &result), 0);
	return (int)result;
}

static void check_reads(enum pintle_jit jit, bool blind)
{
	static char mine[16] = "mine", other[16] = "others'";
	struct pintle_host *host = test_host_new();
	struct pintle_object *object;
	struct pintle_space *space;
	u64 at = (uintptr_t)mine;
	u32 key = 0;

	host->opts.jit = jit;
	host->opts.blind_constants = blind;
	object = pintle_open(host, test_object("run/space_owner.bpf.o"), NULL);
	if (!object || pintle_load(object))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	CHECK_EQ(pintle_map_update(pintle_map_find(object, "places"), &key, &at, 0), 0);
	CHECK_EQ(run(object, "byte"), -EFAULT); /* it has none yet */
	CHECK_EQ(run(object, "text"), -EFAULT);
	CHECK_EQ(run(object, "current"), -EFAULT);
	t_space = pintle_space_range(host, mine, sizeof(mine));
	space = pintle_space_range(host, other, sizeof(other));
	pintle_space_enter(host, space);
	CHECK_EQ(run(object, "byte"), 'm');
	CHECK_EQ(run(object, "text"), 5000 + 'm');
	CHECK_EQ(run(object, "current"), -EFAULT); /* not there */
	pintle_space_enter(host, t_space);
	CHECK_EQ(run(object, "current"), 5000 + 'm');
	at += sizeof(mine);
	CHECK_EQ(pintle_map_update(pintle_map_find(object, "places"), &key, &at, 0), 0);
	CHECK_EQ(run(object, "byte"), -EFAULT);
	pintle_space_enter(host, NULL);
	pintle_space_close(t_space);
	pintle_space_close(space);
	t_space = NULL;
	pintle_close(object);
	test_host_free(host);
}

TEST(space_of_an_object_native)
{
	check_reads(PINTLE_JIT_AUTO, false);
}

/* The owner is a number that the program did not choose. */
TEST(space_of_an_object_blinded)
{
	check_reads(PINTLE_JIT_AUTO, true);
}

TEST(space_of_an_object_interpreted)
{
	check_reads(PINTLE_JIT_OFF, false);
}

static struct pintle_space *none(void *object)
{
	return NULL;
}

TEST(space_owners_are_checked)
{
	struct pintle_host *host = test_host_new();

	CHECK_EQ(pintle_space_owner(host, "T", none), -EEXIST);
	CHECK_EQ(pintle_space_owner(host, "no_such", none), -ENOENT);
	CHECK_EQ(pintle_space_owner(host, NULL, none), -EINVAL);
	CHECK_EQ(pintle_space_owner(host, "U", NULL), -EINVAL);
	CHECK_EQ(pintle_space_owner(host, "U", none), 0);
	test_host_free(host);
}
