/* SPDX-License-Identifier: MIT
 *
 * bench_kernel.c: asks the running kernel through libbpf, where the command was built with
 * it. Programs are loaded alone and unloaded at once; nothing is attached or pinned.
 */
#include "cli/bench.h"

#ifndef HAVE_LIBBPF

const char *bench_kernel_missing(void)
{
	return "built without libbpf";
}

struct bench_kernel bench_ask_kernel(const char *path, const char *program)
{
	return (struct bench_kernel){0};
}

#else

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOG_BYTES = 1 << 16, STATS_ONLY = 4, TIMES = 3, LONG_US = 50000 };

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

const char *bench_kernel_missing(void)
{
	static const struct bpf_insn nothing[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K},
						  {.code = BPF_JMP | BPF_EXIT}};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "pintle", "GPL", nothing, 2, NULL);

	if (fd < 0)
		return "bpf(2) is not permitted";
	close(fd);
	return NULL;
}

/* The number behind @label in the log's last lines. */
static u64 number_after(const char *log, const char *label)
{
	const char *at = strstr(log, label);

	return at ? strtoull(at + strlen(label), NULL, 10) : 0;
}

static struct bench_kernel read_log(const char *log, bool accepted)
{
	return (struct bench_kernel){
		.known = strstr(log, "processed ") != NULL,
		.accepted = accepted,
		.insns = (u32)number_after(log, "processed "),
		.states = (u32)number_after(log, "total_states "),
		.peak_states = (u32)number_after(log, "peak_states "),
		.time_us = number_after(log, "verification time "),
	};
}

static struct bench_kernel ask_once(const char *path, const char *program, char *log)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = log,
		    .kernel_log_size = LOG_BYTES, .kernel_log_level = STATS_ONLY);
	struct bpf_object *obj = bpf_object__open_file(path, &opts);
	struct bpf_program *prog;
	struct bench_kernel answer = {0};
	bool accepted;

	if (!obj)
		return answer;
	log[0] = 0;
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), program));
	accepted = !bpf_object__load(obj);
	answer = read_log(log, accepted);
	bpf_object__close(obj);
	return answer;
}

struct bench_kernel bench_ask_kernel(const char *path, const char *program)
{
	struct bench_kernel best = {0};
	char *log = malloc(LOG_BYTES);

	libbpf_set_print(silent);
	for (int i = 0; log && i < TIMES; i++) {
		struct bench_kernel k = ask_once(path, program, log);

		if (!i || k.time_us < best.time_us)
			best = k;
		if (!k.known || k.time_us > LONG_US)
			break;
	}
	free(log);
	return best;
}

#endif
