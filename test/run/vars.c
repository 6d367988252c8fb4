/* SPDX-License-Identifier: MIT
 *
 * vars.c: variables of the host: what registration refuses.
 */
#include "fixture/host.h"
#include "test.h"

static void refused(struct pintle_host *host, int err, int want, const char *words)
{
	CHECK_EQ(err, want);
	CHECK_HAS(pintle_host_error(host), words);
}

TEST(host_variables_are_checked_when_registered)
{
	struct pintle_host *host = test_host_new();
	static const int other = 1;

	refused(host, pintle_export_var(host, NULL, "int", &other), -EINVAL, "a name");
	refused(host, pintle_export_var(host, "x", "int", NULL), -EINVAL, "an address");
	refused(host, pintle_export_var(host, "t_limit", "int", &other), -EEXIST,
		"exported already");
	refused(host, pintle_export_var(host, "x", "no_such_type", &other), -ENOENT,
		"'no_such_type' is not in the host's BTF");
	CHECK_EQ(pintle_export_var(host, "x", "int", &other), 0);
	test_host_free(host);
}

TEST(host_variables_stay_while_objects_are_open)
{
	struct pintle_host *host = test_host_new();
	struct pintle_object *obj = pintle_open(host, test_object("verdict/host_vars.bpf.o"),
						NULL);
	static const int other = 1;

	CHECK(obj);
	refused(host, pintle_export_var(host, "y", "int", &other), -EBUSY,
		"objects are open");
	pintle_close(obj);
	test_host_free(host);
}
