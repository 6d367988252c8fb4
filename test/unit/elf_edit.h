/* SPDX-License-Identifier: MIT
 *
 * elf_edit.h: objects of the build, read into memory and damaged on purpose.
 */
#ifndef TEST_ELF_EDIT_H
#define TEST_ELF_EDIT_H

#include "base/base.h"

#include <elf.h>

struct elf_edit {
	u8 *data; /* exactly @size bytes on the heap */
	size_t size;
};

/* Fails the test when there is no such object. */
struct elf_edit elf_edit_open(const char *object);
void elf_edit_free(struct elf_edit *e);

Elf64_Shdr *elf_edit_shdr(struct elf_edit *e, const char *section);
/* Every @from in the bytes of @section becomes @to, which is as long. */
void elf_edit_replace(struct elf_edit *e, const char *section, const char *from,
		      const char *to);
/* In its BTF function @func gets the prototype of function @of. */
void elf_edit_proto(struct elf_edit *e, const char *func, const char *of);

#endif
