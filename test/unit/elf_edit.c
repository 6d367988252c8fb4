/* SPDX-License-Identifier: MIT */
#include "unit/elf_edit.h"

#include "test.h"

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
