/* SPDX-License-Identifier: MIT
 *
 * perf.c: tells perf(1) what native code is called, in the file it looks for:
 * /tmp/perf-PID.map, a line "START SIZE NAME" for each subprogram, in hex. Only where the
 * host asks for it (opts.perf_map). Lines are added, never removed: a later program at the
 * same address stands further below.
 */
#include "run/run.h"

#include <inttypes.h>
#include <unistd.h>

static void name_prog(FILE *map, const struct pintle_prog *prog)
{
	const struct image_prog *image = prog->image;
	const struct code *code = prog->code;
	u32 start = 0;

	for (u32 i = 0; i < code->nsubprogs; i++) {
		u32 end = i + 1 < code->nsubprogs ? code->native_at[code->entry[i + 1]]
						  : code->native_size;

		if (end > start)
			fprintf(map, "%" PRIxPTR " %x pintle:%s%s%s\n",
				(uintptr_t)code->native + start, end - start, image->name,
				i ? "." : "", i ? image->subprogs[i].name : "");
		start = end;
	}
}

void perf_map_write(const struct pintle_object *object)
{
	char path[64];
	FILE *map;

	if (!object->host->opts.perf_map)
		return;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	map = fopen(path, "ae");
	if (!map) {
		host_log(object->host, PINTLE_LOG_NOTE, "perf map: the file cannot be written");
		return;
	}
	for (u32 i = 0; i < object->image->nprogs; i++)
		if (object->progs[i].code && object->progs[i].code->native)
			name_prog(map, &object->progs[i]);
	fclose(map);
}
