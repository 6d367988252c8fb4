/* SPDX-License-Identifier: MIT
 *
 * self_btf.c: the BTF that tools/with-btf gave this very program says what its source says,
 * also where pahole alone would not: of _Atomic members.
 */
#include "base/log.h"
#include "btf/btf.h"
#include "test.h"

#include <stdatomic.h>

struct with_atomics {
	_Atomic u64 number;
	struct with_atomics *_Atomic next;
	_Atomic u16 array[3];
};
struct with_atomics *keep_with_atomics;

static u32 member_type(const struct btf *btf, u32 type, u32 i)
{
	return btf_skip_mods(btf, btf_members(btf_type(btf, type))[i].type);
}

TEST(self_btf_knows_atomic_members)
{
	struct log log = {0};
	struct btf *btf = NULL;
	u32 type, at;

	if (btf_open_file(&log, "/proc/self/exe", NULL, &btf))
		test_fail(__FILE__, __LINE__, "%s", log.error);
	type = btf_find(btf, "with_atomics", BTF_STRUCT);
	CHECK(type != 0);
	at = member_type(btf, type, 0);
	CHECK_EQ(btf_kind(btf_type(btf, at)), BTF_INT);
	CHECK_EQ(btf_type(btf, at)->size, 8);
	at = member_type(btf, type, 1);
	CHECK_EQ(btf_kind(btf_type(btf, at)), BTF_PTR);
	CHECK_EQ(btf_pointee(btf, at), type);
	at = member_type(btf, type, 2);
	CHECK_EQ(btf_kind(btf_type(btf, at)), BTF_ARRAY);
	btf_close(btf);
	log_free(&log);
}
