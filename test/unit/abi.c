/* SPDX-License-Identifier: MIT */
#include "abi/abi.h"
#include "test.h"

TEST(abi_helpers_are_found_by_number_and_name)
{
	CHECK_STR(abi_helper(1)->name, "bpf_map_lookup_elem");
	CHECK_EQ(abi_helper_by_name("bpf_kptr_xchg")->id, 194);
	CHECK(!abi_helper(0) && !abi_helper(212) && !abi_helper(UINT32_MAX));
	CHECK_STR(abi_helper_name(27), "bpf_get_stackid");
	CHECK_STR(abi_helper_name(211), "bpf_cgrp_storage_delete");
	CHECK(!abi_helper_name(212) && !abi_helper_name(0));
}

TEST(abi_helper_rows_agree_with_the_list_of_names)
{
	for (u32 id = 1; id <= 211; id++)
		if (abi_helper(id))
			CHECK_STR(abi_helper(id)->name, abi_helper_name(id));
}
