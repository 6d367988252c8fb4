/* SPDX-License-Identifier: MIT */
#include "unit/elf_edit.h"

#include "btf/btf.h"
#include "test.h"
#include "unit/btf_build.h"

struct elf_edit elf_edit_open(const char *object)
{
	struct elf_edit e = {0};
	FILE *file = fopen(test_object(object), "rb");

	if (!file)
		test_fail(__FILE__, __LINE__, "%s: %s", object, strerror(errno));
	fseek(file, 0, SEEK_END);
	e.size = (size_t)ftell(file);
	rewind(file);
	e.data = malloc(e.size);
	CHECK(e.data && fread(e.data, 1, e.size, file) == e.size);
	fclose(file);
	return e;
}

void elf_edit_free(struct elf_edit *e)
{
	free(e->data);
	*e = (struct elf_edit){0};
}

Elf64_Shdr *elf_edit_shdr(struct elf_edit *e, const char *section)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)e->data;
	Elf64_Shdr *sh = (Elf64_Shdr *)(e->data + eh->e_shoff);
	const char *names = (const char *)e->data + sh[eh->e_shstrndx].sh_offset;

	for (u32 i = 0; i < eh->e_shnum; i++)
		if (!strcmp(names + sh[i].sh_name, section))
			return &sh[i];
	test_fail(__FILE__, __LINE__, "no section %s", section);
}

void elf_edit_replace(struct elf_edit *e, const char *section, const char *from,
		      const char *to)
{
	const Elf64_Shdr *sh = elf_edit_shdr(e, section);
	u8 *at = e->data + sh->sh_offset, *end = at + sh->sh_size;
	size_t len = strlen(from);
	bool any = false;

	CHECK_EQ(len, strlen(to));
	while ((at = memmem(at, (size_t)(end - at), from, len))) {
		memcpy(at, to, len);
		any = true;
	}
	CHECK(any);
}

/* Bytes of a type's record behind its struct btf_type. */
static u32 more_bytes(const struct btf_type *t)
{
	static const u8 fixed[] = {[BTF_INT] = 4, [BTF_ARRAY] = 12, [BTF_VAR] = 4,
				   [BTF_DECL_TAG] = 4};
	static const u8 each[] = {[BTF_STRUCT] = 12, [BTF_UNION] = 12, [BTF_ENUM] = 8,
				  [BTF_FUNC_PROTO] = 8, [BTF_DATASEC] = 12, [BTF_ENUM64] = 12};
	u32 kind = btf_kind(t);

	return (kind < sizeof(fixed) ? fixed[kind] : 0) +
	       (kind < sizeof(each) ? each[kind] * btf_vlen(t) : 0);
}

static struct btf_type *find_func(struct elf_edit *e, const char *name)
{
	u8 *data = e->data + elf_edit_shdr(e, ".BTF")->sh_offset;
	const struct bb_header *head = (const struct bb_header *)data;
	const char *strs = (const char *)data + head->hdr_len + head->str_off;
	u8 *at = data + head->hdr_len + head->type_off, *end = at + head->type_len;

	while (at < end) {
		struct btf_type *t = (struct btf_type *)at;

		if (btf_kind(t) == BTF_FUNC && !strcmp(strs + t->name_off, name))
			return t;
		at += sizeof(*t) + more_bytes(t);
	}
	test_fail(__FILE__, __LINE__, "no function %s", name);
}

void elf_edit_proto(struct elf_edit *e, const char *func, const char *of)
{
	find_func(e, func)->type = find_func(e, of)->type;
}
