/* SPDX-License-Identifier: MIT
 *
 * live_run.c: see live_run.h.
 */
#include "live_run.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

int live_memory(unsigned int size)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "memory", sizeof(int), size, 1, NULL);

	return fd < 0 ? -errno : fd;
}

static int run(int prog, int map, void *memory)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int key = 0;

	if (bpf_map_update_elem(map, &key, memory, BPF_ANY) ||
	    bpf_prog_test_run_opts(prog, &opts) || bpf_map_lookup_elem(map, &key, memory))
		return -errno;
	return 0;
}

int live_run(const void *insns, size_t n, int map, void *memory, char *log, size_t size)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log,
		    .log_size = (unsigned int)size, .log_level = 1,
		    .prog_flags = BPF_F_SLEEPABLE);
	int prog, err;

	log[0] = 0;
	prog = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "voice", "GPL", insns, n, &opts);
	if (prog < 0)
		return -errno;
	err = run(prog, map, memory);
	close(prog);
	return err;
}
