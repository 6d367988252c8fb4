/* SPDX-License-Identifier: MIT
 *
 * names.c: what programs call the parameters of the engine's functions says nothing: not
 * that they are ignored, nor that they may be NULL or are yet to be made.
 */
#include "fixture/host.h"
#include "run/expect.h"
#include "run/run.h"
#include "test.h"
#include "unit/elf_edit.h"

TEST(names_of_parameters_say_nothing)
{
	static const char *const names[] = {"dynptr_size", "dynptr_is_null", "strlen"};
	struct pintle_host *host = test_host_new();
	struct elf_edit e = elf_edit_open("run/names.bpf.o");
	struct pintle_object *object;
	char from[64], to[64], words[600];

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(to, sizeof(to), "bpf_%s", names[i]);
		snprintf(from, sizeof(from), "shape_%s", names[i]);
		elf_edit_proto(&e, to, from);
	}
	elf_edit_proto(&e, "t_bytes", "shape_t_bytes");
	object = pintle_open_mem(host, e.data, e.size, NULL);
	CHECK(object != NULL);
	for (u32 i = 0; i < object->image->nprogs; i++) {
		const struct image_prog *prog = &object->image->progs[i];
		struct expectation want = expectation_of(object->image->btf,
							 prog->subprogs[0].func);

		if (!expect_verdict(&want, object->image, prog, words, sizeof(words)))
			test_fail(__FILE__, __LINE__, "%s: %s", prog->name, words);
	}
	CHECK_EQ(object->image->nprogs, 5);
	pintle_close(object);
	elf_edit_free(&e);
	test_host_free(host);
}
