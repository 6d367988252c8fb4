/* SPDX-License-Identifier: MIT
 *
 * write.c: which members of the kernel's structs a program may write, and what structs of
 * functions say of their arguments beyond the prototype (writes.def).
 */
#include "abi/linux/linux.h"

static const struct {
	u8 type;
	const char *ops, *name, *member;
} writes[] = {
#define WRITE(type_, ops_, name_, member_) {LINUX_##type_, ops_, #name_, member_},
#include "abi/linux/writes.def"
};

static const struct {
	const char *ops, *from, *to;
} promotions[] = {
#define PROMOTE(ops_, from_, to_) {ops_, #from_, #to_},
#include "abi/linux/writes.def"
};

static const struct {
	const char *ops, *member;
} no_members[] = {
#define NO_MEMBER(ops_, member_) {ops_, #member_},
#include "abi/linux/writes.def"
};

bool linux_ops_member(const char *ops, const char *member)
{
	for (u32 i = 0; i < ARRAY_SIZE(no_members); i++)
		if (!strcmp(no_members[i].ops, ops) && !strcmp(no_members[i].member, member))
			return false;
	return true;
}

void linux_promote(const struct abi *abi, const char *ops, struct abi_prog_type *type)
{
	const struct btf *btf;

	for (u32 i = 0; i < ARRAY_SIZE(promotions); i++)
		if (!strcmp(promotions[i].ops, ops)) {
			abi_find_struct(abi, promotions[i].from, &btf, &type->promote_from);
			abi_find_struct(abi, promotions[i].to, &btf, &type->promote_to);
		}
}

/* The row's bytes; false when this kernel has no such struct or member. */
static bool find(const struct abi *abi, u32 row, struct abi_write *w)
{
	if (!abi_find_struct(abi, writes[row].name, &w->btf, &w->type))
		return false;
	if (*writes[row].member)
		return linux_member(w->btf, w->type, writes[row].member, &w->off, &w->size);
	return btf_size(w->btf, w->type, &w->size);
}

int linux_writes(const struct abi *abi, struct arena *arena, const char *ops,
		 struct abi_prog_type *type)
{
	struct abi_write *list = arena_array(arena, ARRAY_SIZE(writes), sizeof(*list));
	u32 n = 0;

	if (!list)
		return -ENOMEM;
	for (u32 i = 0; i < ARRAY_SIZE(writes); i++)
		if (writes[i].type == type->bit && !strcmp(writes[i].ops, ops ? ops : ""))
			n += find(abi, i, &list[n]);
	type->writes = list;
	type->nwrites = n;
	return 0;
}
