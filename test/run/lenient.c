/* SPDX-License-Identifier: MIT
 *
 * lenient.c: .lenient_decl, which takes declarations that kernels silently take for
 * bytes: bytes they are, and no way leads from them to an object (A20, A27).
 */
#include "fixture/host.h"
#include "test.h"

static const struct {
	const char *prog, *refusal; /* NULL: it loads */
} progs[] = {
	{"number_through_it", NULL},
	{"other_field", NULL},
	{"loaded_and_read", "invalid mem access 'scalar'"},
	{"loaded_and_passed", "pointer type STRUCT T must point to scalar"},
	{"loaded_and_put", "pointer type STRUCT T must point to scalar"},
	{"number_into_the_field", "store to referenced kptr disallowed"},
	{"number_exchanged_in", "R2 type=scalar expected="},
	{"exchanged_with_it", "doesn't point to kptr"},
	{"exchanged_with_a_constant", "doesn't point to kptr"},
	{"address_into_it", "leak"},
	{"got_through_it", "doesn't point to kptr"},
};

TEST(lenient_declarations_are_bytes)
{
	const char *file = test_object("run/lenient.bpf.o");
	struct pintle_host *host = test_host_new();
	struct pintle_open_opts lenient = {sizeof(lenient), .lenient_decl = true};
	struct pintle_object *object = pintle_open(host, file, NULL);
	int bad = 0;

	CHECK(!object && strstr(pintle_host_error(host), "value.either"));
	object = pintle_open(host, file, &lenient);
	CHECK(object);
	for (size_t i = 0; i < sizeof(progs) / sizeof(progs[0]); i++) {
		struct pintle_load_opts only = {sizeof(only), .only = progs[i].prog};
		int err;

		pintle_close(object);
		object = pintle_open(host, file, &lenient);
		err = pintle_load_with(object, &only);
		if (!err == !progs[i].refusal &&
		    (!err || strstr(pintle_object_log(object), progs[i].refusal)))
			continue;
		printf("%s: %d, %s\n", progs[i].prog, err, pintle_object_log(object));
		bad++;
	}
	pintle_close(object);
	CHECK_EQ(bad, 0);
	test_host_free(host);
}
