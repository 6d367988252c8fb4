/* SPDX-License-Identifier: MIT
 *
 * perf.c: tells perf(1) of native code, where the host asks for it:
 *
 *	opts.perf_map   /tmp/perf-PID.map, which perf reads by itself: a line "START SIZE
 *	                NAME" for each subprogram, in hex
 *	opts.perf_dump  /tmp/jit-PID.dump, for `perf record -k mono` and `perf inject --jit`: the
 *	                code itself, and the source line of each instruction
 *
 * Both only grow: what is loaded later at the same address stands further below.
 */
#include "run/inspect/piece.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- the map --- */

static void map_piece(FILE *file, const struct piece *p)
{
	fprintf(file, "%" PRIx64 " %x %s\n", p->addr, p->size, p->name);
}

/* --- the dump: the format is perf's (tools/perf/Documentation/jitdump-specification.txt) --- */

enum { DUMP_MAGIC = 0x4a695444, DUMP_LOAD = 0, DUMP_LINES = 2 };

struct dump_header {
	u32 magic, version, size, machine, pad, pid;
	u64 time, flags;
};

struct dump_record {
	u32 id, size;
	u64 time;
};

struct dump_load {
	struct dump_record record;
	u32 pid, tid;
	u64 vma, addr, size, index;
};

struct dump_lines {
	struct dump_record record;
	u64 addr, n;
};

struct dump_line {
	u64 addr;
	u32 line, discriminator;
};

static u64 mono(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

/* perf finds the file by its being mapped executable. */
static void dump_begin(FILE *file)
{
	struct dump_header header = {.magic = DUMP_MAGIC, .version = 1, .size = sizeof(header),
				     .machine = EM_X86_64, .pid = (u32)getpid(), .time = mono()};
	long page = sysconf(_SC_PAGESIZE);
	void *mapped;

	fwrite(&header, sizeof(header), 1, file);
	fflush(file);
	mapped = mmap(NULL, (size_t)page, PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(file), 0);
	if (mapped != MAP_FAILED)
		munmap(mapped, (size_t)page);
}

static void dump_source(FILE *file, const struct piece *p)
{
	const struct code *code = p->prog->code;
	u64 base = (uintptr_t)code->native;
	struct dump_lines lines = {.record = {DUMP_LINES, sizeof(lines), mono()},
				   .addr = p->addr};
	const struct image_line *line;

	for (u32 i = 0; i < code->ninsns; i++) {
		line = piece_line(p, i);
		if (!line)
			continue;
		lines.n++;
		lines.record.size += sizeof(struct dump_line) + (u32)strlen(line->file) + 1;
	}
	fwrite(&lines, sizeof(lines), 1, file);
	for (u32 i = 0; i < code->ninsns; i++) {
		struct dump_line at = {.addr = base + code->native_at[i]};

		line = piece_line(p, i);
		if (!line)
			continue;
		at.line = line->line;
		fwrite(&at, sizeof(at), 1, file);
		fwrite(line->file, strlen(line->file) + 1, 1, file);
	}
}

static void dump_piece(FILE *file, const struct piece *p)
{
	const u8 *bytes = (const u8 *)(uintptr_t)p->addr;
	struct dump_load load = {
		.record = {DUMP_LOAD, (u32)(sizeof(load) + strlen(p->name) + 1 + p->size), mono()},
		.pid = (u32)getpid(), .tid = (u32)gettid(), .vma = (uintptr_t)bytes,
		.addr = (uintptr_t)bytes, .size = p->size, .index = (uintptr_t)bytes,
	};

	dump_source(file, p);
	fwrite(&load, sizeof(load), 1, file);
	fwrite(p->name, strlen(p->name) + 1, 1, file);
	fwrite(bytes, p->size, 1, file);
}

/* --- both --- */

static FILE *open_file(struct pintle_host *host, const char *form, bool *is_new)
{
	char path[64], words[128];
	struct stat st;
	FILE *file;
	int fd;

	snprintf(path, sizeof(path), form, (int)getpid());
	/* Not through a link that somebody else left in /tmp. */
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	file = fd >= 0 && !fstat(fd, &st) ? fdopen(fd, "a+") : NULL;
	if (file) {
		*is_new = !st.st_size;
		return file;
	}
	snprintf(words, sizeof(words), "%s cannot be written: %s", path, strerror(errno));
	host_log(host, PINTLE_LOG_NOTE, words);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void each_piece(FILE *file, const struct pintle_object *object,
		       void (*write)(FILE *file, const struct piece *p))
{
	struct piece p;

	for (bool more = piece_first(&p, object); more; more = piece_next(&p))
		write(file, &p);
	fclose(file);
}

void perf_write(const struct pintle_object *object)
{
	struct pintle_host *host = object->host;
	bool is_new = false;
	FILE *file;

	if (host->opts.perf_map) {
		file = open_file(host, "/tmp/perf-%d.map", &is_new);
		if (file)
			each_piece(file, object, map_piece);
	}
	if (host->opts.perf_dump) {
		file = open_file(host, "/tmp/jit-%d.dump", &is_new);
		if (file && is_new)
			dump_begin(file);
		if (file)
			each_piece(file, object, dump_piece);
	}
}
