/* SPDX-License-Identifier: MIT
 *
 * member.c: which members of the kernel's structs are as safe as the object that has them
 * (rule book B36). The kernel says so in its BTF: a struct NAME__safe_CLASS lists members
 * of struct NAME.
 */
#include "abi/linux/linux.h"

static const struct {
	const char *suffix;
	enum member_class class_;
} classes[] = {
	{"__safe_rcu", MEMBER_RCU},
	{"__safe_rcu_or_null", MEMBER_RCU_OR_NULL},
	{"__safe_trusted", MEMBER_TRUSTED},
	{"__safe_trusted_or_null", MEMBER_TRUSTED_OR_NULL},
};

static const struct btf_member *member_by_name(const struct btf *btf, const struct btf_type *t,
					       const char *name, u32 base, u32 *off);

/* Members of anonymous structs count as members of the struct around them. */
static const struct btf_member *member_inside(const struct btf *btf, const struct btf_member *m,
					      const char *name, u32 base, u32 *off)
{
	const struct btf_type *t = btf_type(btf, btf_skip_mods(btf, m->type));

	return m->name_off || !btf_is_composite(t) ? NULL
						   : member_by_name(btf, t, name, base, off);
}

static const struct btf_member *member_by_name(const struct btf *btf, const struct btf_type *t,
					       const char *name, u32 base, u32 *off)
{
	for (u32 i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i], *in;
		u32 at = base + btf_member_bit(t, m) / 8;

		if (!strcmp(btf_str(btf, m->name_off), name)) {
			*off = at;
			return m;
		}
		in = member_inside(btf, m, name, at, off);
		if (in)
			return in;
	}
	return NULL;
}

bool linux_member(const struct btf *btf, u32 type, const char *path, u32 *off, u32 *size)
{
	char name[64];
	size_t len;

	for (*off = 0; *path; path += len + (path[len] == '.')) {
		const struct btf_type *t = btf_type(btf, btf_skip_mods(btf, type));
		const struct btf_member *m;

		len = strcspn(path, ".");
		if (len >= sizeof(name) || !btf_is_composite(t))
			return false;
		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		m = member_by_name(btf, t, name, *off, off);
		if (!m)
			return false;
		type = m->type;
	}
	return btf_size(btf, type, size);
}

static int add_members(struct abi *abi, const struct btf *btf, u32 list, u32 type,
		       enum member_class class_)
{
	const struct btf_type *from = btf_type(btf, list), *t = btf_type(btf, type);

	for (u32 i = 0; i < btf_vlen(from); i++) {
		const char *name = btf_str(btf, btf_members(from)[i].name_off);
		struct abi_member row = {.btf = btf, .type = type, .class_ = class_};

		if (*name && member_by_name(btf, t, name, 0, &row.off) &&
		    !vec_push(&abi->members, row))
			return -ENOMEM;
	}
	return 0;
}

static int add_list(struct abi *abi, const struct btf *btf, u32 list)
{
	const char *name = btf_type_name(btf, list), *at = strstr(name, "__safe_");
	char base[128];
	u32 type;

	if (!at || (size_t)(at - name) >= sizeof(base))
		return 0;
	snprintf(base, sizeof(base), "%.*s", (int)(at - name), name);
	type = btf_find(btf, base, BTF_STRUCT);
	for (u32 i = 0; type && i < ARRAY_SIZE(classes); i++)
		if (!strcmp(at, classes[i].suffix))
			return add_members(abi, btf, list, type, classes[i].class_);
	return 0;
}

int linux_members(struct abi *abi)
{
	for (u32 b = 0; b < abi->btfs.n; b++) {
		const struct btf *btf = abi->btfs.v[b];

		for (u32 id = btf_start(btf); id < btf_end(btf); id++)
			if (btf_kind(btf_type(btf, id)) == BTF_STRUCT)
				TRY(add_list(abi, btf, id));
	}
	return 0;
}
