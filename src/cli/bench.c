/* SPDX-License-Identifier: MIT
 *
 * bench.c: see bench.h. Times are of the verification alone, the shortest of a few.
 */
#include "cli/bench.h"

#include <stdio.h>

enum { NAME_WIDTH = 44 };

void bench_begin(struct bench *bench)
{
	*bench = (struct bench){.why_not = bench_kernel_missing()};
	printf("%-*s %-7s %8s %7s %6s %9s %9s", NAME_WIDTH, "program", "verdict", "insns",
	       "states", "peak", "time us", "memory K");
	if (!bench->why_not)
		printf(" | %-7s %8s %7s %6s %9s %6s", "kernel", "insns", "states", "peak",
		       "time us", "ratio");
	putchar('\n');
}

static void print_kernel(const struct bench_row *row, const struct bench_kernel *k)
{
	u64 us = row->stats.time_ns / 1000;

	if (!k->known) {
		printf(" | %-7s", "-");
		return;
	}
	printf(" | %-7s %8u %7u %6u %9llu", k->accepted ? "accept" : "reject", k->insns,
	       k->states, k->peak_states, (unsigned long long)k->time_us);
	if (k->time_us)
		printf(" %6.2f", (double)us / (double)k->time_us);
}

static void add_up(struct bench *bench, const struct bench_row *row,
		   const struct bench_kernel *k)
{
	bench->programs++;
	bench->refused += row->err != 0;
	if (row->stats.memory > bench->memory)
		bench->memory = row->stats.memory;
	if (row->err || (!bench->why_not && !(k->known && k->accepted)))
		return;
	bench->both++;
	bench->time_us += row->stats.time_ns / 1000;
	bench->kernel_us += k->time_us;
}

void bench_add(struct bench *bench, const char *path, const struct bench_row *row)
{
	struct bench_kernel k = {0};
	char name[128];

	if (!bench->why_not)
		k = bench_ask_kernel(path, row->program);
	snprintf(name, sizeof(name), "%s/%s", row->object, row->program);
	printf("%-*s %-7s %8u %7u %6u %9llu %9zu", NAME_WIDTH, name,
	       row->err ? "reject" : "accept", row->stats.insns, row->stats.states,
	       row->stats.peak_states, (unsigned long long)(row->stats.time_ns / 1000),
	       row->stats.memory >> 10);
	if (!bench->why_not)
		print_kernel(row, &k);
	putchar('\n');
	add_up(bench, row, &k);
}

void bench_end(const struct bench *bench)
{
	printf("%u programs, %u refused; at most %zu K of memory\n", bench->programs,
	       bench->refused, bench->memory >> 10);
	if (bench->why_not) {
		printf("%u accepted in %llu us; the kernel was not asked: %s\n", bench->both,
		       (unsigned long long)bench->time_us, bench->why_not);
		return;
	}
	printf("%u accepted by both: %llu us here, %llu us in the kernel", bench->both,
	       (unsigned long long)bench->time_us, (unsigned long long)bench->kernel_us);
	if (bench->kernel_us)
		printf(", ratio %.2f", (double)bench->time_us / (double)bench->kernel_us);
	putchar('\n');
}
