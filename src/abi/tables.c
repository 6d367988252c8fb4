/* SPDX-License-Identifier: MIT
 *
 * tables.c: objects that programs see as a table of members.
 */
#include "abi/abi.h"
#include "abi/fields.h"

#define TABLE(id, name_, socket_, ...)                                                   \
	static const struct abi_ctx_field fields_##id[] = {__VA_ARGS__};
#include "abi/tables.def"
#undef TABLE

static const struct abi_table tables[NR_TABLES] = {
#define TABLE(id, name_, socket_, ...)                                                   \
	[TABLE_##id] = {.name = name_, .socket = socket_, .fields = fields_##id,         \
			.nfields = ARRAY_SIZE(fields_##id)},
#include "abi/tables.def"
#undef TABLE
};

const struct abi_table *abi_table(enum abi_table_id id)
{
	return &tables[id];
}

static bool allows(const struct abi_ctx_field *f, u8 sizes, s64 off, u32 size)
{
	if (off < (s64)f->off || off + size > (s64)f->off + f->size || !(sizes & size))
		return false;
	/* A host's own contexts may be packed: a whole member is one wherever it lies. */
	return off % size == 0 || ((u32)off == f->off && size == f->size);
}

const struct abi_ctx_field *abi_field(const struct abi_ctx_field *fields, u32 n, bool write,
				      s64 off, u32 size)
{
	for (u32 i = 0; i < n; i++)
		if (allows(&fields[i], write ? fields[i].writes : fields[i].reads,
				     off, size))
			return &fields[i];
	return NULL;
}
