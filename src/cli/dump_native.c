/* SPDX-License-Identifier: MIT
 *
 * dump_native.c: `pintle dump --native`: native code below the instruction it came from,
 * and that below its source line. The machine's instructions are put into words by objdump,
 * where there is one; else they are bytes.
 */
#include "cli/cli.h"

#include <unistd.h>

struct line {
	u32 off; /* from the start of the program's code */
	char *text;
};

struct lines {
	VEC(struct line) all;
	u32 next; /* not yet printed */
};

static bool add_line(struct lines *lines, u32 off, const char *text)
{
	struct line line = {off, strdup(text)};

	if (line.text && vec_push(&lines->all, line))
		return true;
	free(line.text);
	return false;
}

static void lines_free(struct lines *lines)
{
	for (u32 i = 0; i < lines->all.n; i++)
		free(lines->all.v[i].text);
	vec_free(&lines->all);
}

static void read_objdump(FILE *from, struct lines *lines)
{
	char text[512], *colon, *end;

	while (fgets(text, sizeof(text), from)) {
		u32 off = (u32)strtoul(text, &end, 16);

		colon = strstr(text, ":\t");
		if (!colon || colon != end)
			continue;
		text[strcspn(text, "\n")] = 0;
		if (!add_line(lines, off, colon + 2))
			return;
	}
}

static void disassemble(const struct code *code, struct lines *lines)
{
	char path[] = "/tmp/pintle-dump-XXXXXX", cmd[256];
	int fd = mkstemp(path);
	FILE *from;

	if (fd < 0)
		return;
	if (write(fd, (const void *)code->native, code->native_size) == (ssize_t)code->native_size) {
		snprintf(cmd, sizeof(cmd), "objdump -D -b binary -m i386:x86-64 -M intel "
			 "--no-show-raw-insn %s 2>/dev/null", path);
		from = popen(cmd, "r");
		if (from) {
			read_objdump(from, lines);
			pclose(from);
		}
	}
	close(fd);
	unlink(path);
}

/* Without objdump: the bytes of each instruction of the program. */
static void bytes(const struct code *code, struct lines *lines)
{
	const u8 *at = (const u8 *)(uintptr_t)code->native;
	char text[64];

	for (u32 off = 0; off < code->native_size; off += 16) {
		int n = 0;

		for (u32 i = off; i < off + 16 && i < code->native_size; i++)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%02x ", at[i]);
		if (!add_line(lines, off, text))
			return;
	}
}

static void print_until(struct lines *lines, u32 off)
{
	for (; lines->next < lines->all.n; lines->next++) {
		const struct line *line = &lines->all.v[lines->next];

		if (line->off >= off)
			return;
		printf("\t%5x  %s\n", line->off, line->text);
	}
}

static void print_insn(const struct image_prog *prog, u32 at, const struct image_line **last)
{
	const struct image_line *line = image_line_of(prog, at);
	char text[256];

	if (line && line != *last)
		printf("; %s @ %s:%u\n", line->text, line->file, line->line);
	*last = line;
	isa_disasm(prog->insns + at, prog->ninsns - at, NULL, text, sizeof(text));
	printf("%5u: %s\n", at, text);
}

static void dump_code(const struct image_prog *prog, const struct code *code)
{
	const struct image_line *last = NULL;
	struct lines lines = {0};
	u32 before = UINT32_MAX;

	disassemble(code, &lines);
	if (!lines.all.n)
		bytes(code, &lines);
	for (u32 i = 0; i < code->ninsns; i++) {
		print_until(&lines, code->native_at[i]);
		if (code->origin[i] != before)
			print_insn(prog, code->origin[i], &last);
		before = code->origin[i];
	}
	print_until(&lines, UINT32_MAX);
	lines_free(&lines);
}

void dump_native(const struct pintle_object *object)
{
	for (u32 i = 0; i < object->image->nprogs; i++) {
		const struct code *code = object->progs[i].code;
		const struct image_prog *prog = &object->image->progs[i];

		if (!code)
			continue;
		printf("\nprogram '%s': %u instructions, ", prog->name, code->ninsns);
		if (code->native) {
			printf("%u bytes of native code\n", code->native_size);
			dump_code(prog, code);
		} else {
			printf("interpreted\n");
		}
	}
}
