/* SPDX-License-Identifier: MIT
 *
 * Any bytes as instructions: each decodes or says why, and what decodes goes to text and
 * back to the same bytes.
 */
#include "base/arena.h"
#include "base/log.h"
#include "isa/isa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct insn *insn, u32 left, enum isa_op op)
{
	struct arena *arena = arena_new();
	struct insn *back;
	char text[128];
	u32 count;

	if (!arena || isa_disasm(insn, left, NULL, text, sizeof(text)) >= (int)sizeof(text))
		abort();
	if (isa_assemble(arena, NULL, text + strlen("(xx) "), &back, &count) ||
	    count != isa_slots(op) || memcmp(insn, back, count * sizeof(*insn)))
		abort();
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u32 count = (u32)(size / sizeof(struct insn));
	struct insn *insns = malloc(size + 1);
	const char *why;
	char text[32];

	if (!insns)
		return 0;
	memcpy(insns, data, size);
	for (u32 i = 0; i < count; i++) {
		enum isa_op op = isa_decode(&insns[i], count - i, &why);

		if (op == OP_BAD)
			isa_disasm(&insns[i], count - i, NULL, text, sizeof(text));
		else
			round_trip(&insns[i], count - i, op);
		if (op == OP_BAD && !strlen(why))
			abort();
		i += isa_slots(op) - 1;
	}
	free(insns);
	return 0;
}
