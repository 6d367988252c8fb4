/* SPDX-License-Identifier: MIT */
#include "abi/abi.h"
#include "test.h"

TEST(abi_sections_name_program_types)
{
	struct abi abi = {0};
	bool sleeps = true;

	CHECK(vec_push(&abi.prog_types, (struct abi_prog_type){.section = "xdp"}));
	CHECK(vec_push(&abi.prog_types, (struct abi_prog_type){.section = "hook/a"}));
	CHECK(abi_find_prog_type(&abi, "xdp", &sleeps) == &abi.prog_types.v[0] && !sleeps);
	CHECK(abi_find_prog_type(&abi, "xdp/x", &sleeps) == &abi.prog_types.v[0]);
	CHECK(abi_find_prog_type(&abi, "?xdp", &sleeps) == &abi.prog_types.v[0]);
	CHECK(!abi_find_prog_type(&abi, "xdpx", &sleeps));
	CHECK(abi_find_prog_type(&abi, "hook/a", &sleeps) == &abi.prog_types.v[1] && !sleeps);
	CHECK(abi_find_prog_type(&abi, "hook.s/a", &sleeps) == &abi.prog_types.v[1] && sleeps);
	CHECK(!abi_find_prog_type(&abi, "hook/ab", &sleeps));
	CHECK(!abi_find_prog_type(&abi, "hook", &sleeps));
	abi_free(&abi);
}

TEST(abi_unknown_map_types_have_no_name)
{
	CHECK_STR(abi_map_type(MAP_HASH)->name, "hash");
	CHECK(!abi_map_type(0)->name && !abi_map_type(4000)->name);
}
