/* SPDX-License-Identifier: MIT
 *
 * Any text as a program: it assembles into instructions that decode, or the log says why.
 */
#include "base/arena.h"
#include "base/log.h"
#include "isa/isa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_program(const struct insn *insns, u32 count)
{
	for (u32 i = 0; i < count;) {
		enum isa_op op = isa_decode(&insns[i], count - i, NULL);

		if (op == OP_BAD)
			abort();
		i += isa_slots(op);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	char *text = malloc(size + 1);
	struct log log = {0};
	struct insn *insns;
	u32 count;

	if (!arena || !text)
		abort();
	memcpy(text, data, size);
	text[size] = 0;
	if (!isa_assemble(arena, &log, text, &insns, &count))
		check_program(insns, count);
	else if (!log.error[0])
		abort();
	free(text);
	log_free(&log);
	arena_free(arena);
	return 0;
}
