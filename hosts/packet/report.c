/* SPDX-License-Identifier: MIT
 *
 * report.c: what is printed: a row per program, what happened to the frames, and the
 * proof that every reference went home. A progress line on standard error, where that is
 * a terminal, once a capture takes longer than half a second.
 */
#include "engine.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long long ull;

/* ---- progress ---- */

static struct {
	uint64_t begun, shown, calls;
	bool line;
} progress;

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void show(const struct engine *engine, struct source *source)
{
	fprintf(stderr, "\rpacket: %llu frames", (ull)engine->read);
	if (source->done)
		fprintf(stderr, ", %.0f %%",
			100 * (engine->pass + source->done(source)) / engine->passes);
	fputs("\033[K", stderr);
	progress.line = true;
}

void report_progress(const struct engine *engine, struct source *source)
{
	uint64_t now;

	if (progress.calls++ % 256 || !isatty(STDERR_FILENO))
		return;
	now = now_ms();
	if (!progress.begun)
		progress.begun = now;
	if (now - progress.begun < 500 || now - progress.shown < 200)
		return;
	progress.shown = now;
	show(engine, source);
}

void report_progress_end(void)
{
	if (progress.line)
		fputs("\r\033[K", stderr);
	progress.line = false;
}

/* ---- tables ---- */

static const char *ns_words(char *to, size_t size, uint64_t ns)
{
	if (ns < 10000000)
		snprintf(to, size, "%.2f ms", (double)ns / 1e6);
	else
		snprintf(to, size, "%.0f ms", (double)ns / 1e6);
	return to;
}

static struct pintle_prog_info info_of(const struct pintle_prog *prog)
{
	struct pintle_prog_info info = {.size = sizeof(info)};

	pintle_prog_info(prog, &info);
	return info;
}

/* "-" for a program that has nothing to do with flows. */
static const char *count_words(char *to, size_t size, const struct program *p, uint64_t n)
{
	if (p->flows)
		snprintf(to, size, "%llu", (ull)n);
	else
		snprintf(to, size, "-");
	return to;
}

static void program_row(const struct program *p)
{
	struct pintle_prog_info info = info_of(p->prog);
	char verify[32], flows[32], hits[32];

	printf("%-12s %8llu %7llu %7llu %6llu %6llu %7llu %6s %10s %9s %9.0f\n",
	       pintle_prog_name(p->prog), (ull)p->packets, (ull)p->verdicts[PASSED],
	       (ull)p->verdicts[DROPPED],
	       (ull)(p->verdicts[SENT_BACK] + p->verdicts[REDIRECTED]),
	       (ull)p->verdicts[TAKEN], (ull)p->verdicts[ABORTED],
	       count_words(flows, sizeof(flows), p, p->flows),
	       count_words(hits, sizeof(hits), p, p->hits),
	       ns_words(verify, sizeof(verify), info.verify_ns),
	       timing_median(&p->timing));
}

static void program_table(const struct engine *engine)
{
	printf("%-12s %8s %7s %7s %6s %6s %7s %6s %10s %9s %9s\n", "program", "packets",
	       "passed", "dropped", "sent", "taken", "aborted", "flows", "cache hits",
	       "verified", "ns/packet");
	for (unsigned int i = 0; i < engine->nprograms; i++)
		program_row(&engine->programs[i]);
}

/* ---- --stats ---- */

static void detail_row(const struct pintle_prog *prog)
{
	struct pintle_prog_info info = info_of(prog);
	char verify[32];

	printf("%-12s %-16s %6u %6u %9llu %7llu %9s %9llu %7llu\n", pintle_prog_name(prog),
	       pintle_prog_section(prog), info.insns, info.insns_run,
	       (ull)info.verified_insns, (ull)info.verified_states,
	       ns_words(verify, sizeof(verify), info.verify_ns), (ull)info.runs,
	       (ull)info.faults);
}

static void type_row(const struct engine *engine, const char *type)
{
	struct pintle_type_stats stats = {.size = sizeof(stats)};

	if (pintle_type_stats(engine->host, type, &stats))
		return;
	printf("struct %-8s %llu in fields of maps now, %llu destructed by the library\n",
	       type, (ull)stats.stored, (ull)stats.destructed);
}

static void map_rows(const struct engine *engine, unsigned int i)
{
	const struct pintle_map *map = NULL;

	while ((map = pintle_map_next_in(engine->objects[i], map)))
		printf("map %-20s %u elements (%s)\n", pintle_map_name(map),
		       pintle_map_count(map), engine->paths[i]);
}

static void details(const struct engine *engine)
{
	printf("\n%-12s %-16s %6s %6s %9s %7s %9s %9s %7s\n", "program", "section", "insns",
	       "run", "verified", "states", "in", "runs", "faults");
	for (unsigned int i = 0; i < engine->nobjects; i++) {
		const struct pintle_prog *prog = NULL;

		while ((prog = pintle_prog_next(engine->objects[i], prog)))
			detail_row(prog);
	}
	for (unsigned int i = 0; i < engine->nobjects; i++)
		map_rows(engine, i);
	type_row(engine, "flow");
	type_row(engine, "frame");
}

void report(const struct engine *engine, bool stats)
{
	program_table(engine);
	if (stats)
		details(engine);
	printf("\n%llu frames read, %llu written; %llu timer ticks of 1 ms\n",
	       (ull)engine->read, (ull)engine->written, (ull)engine->ticks);
}

/* ---- accounting ---- */

static bool account(const char *what, const struct tally *tally)
{
	ull made = __atomic_load_n(&tally->made, __ATOMIC_RELAXED);
	ull freed = __atomic_load_n(&tally->freed, __ATOMIC_RELAXED);

	printf("%s: %llu made, %llu freed", what, made, freed);
	return made == freed;
}

bool report_accounts(const struct engine *engine)
{
	bool frames = account("frames", &engine->frames);
	bool flows;

	fputs("; ", stdout);
	flows = account("flows", &engine->flows.tally);
	puts(frames && flows ? ": every reference went home" : ": REFERENCES ARE MISSING");
	return frames && flows;
}
