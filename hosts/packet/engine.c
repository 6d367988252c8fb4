/* SPDX-License-Identifier: MIT
 *
 * engine.c: the life of a frame. It is read, meets the programs one after another until
 * one does not pass it on, and is written or dropped. A frame that a program took is the
 * program's: what it returned does not matter.
 *
 * Time is that of the frames. Every millisecond of it the hook on_timer runs, at most
 * MAX_TICKS times in a row: a longer silence is skipped.
 */
#include "engine.h"

#include <linux/bpf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TICKS = 60000, LAST_TICKS = 5000 };

PINTLE_HOOK(int, on_timer, unsigned long, now)

int complain(const char *fmt, ...)
{
	va_list args;

	report_progress_end();
	fflush(stdout);
	fputs("packet: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

/* ---- the library's host ---- */

static void log_line(void *data, enum pintle_log_level level, const char *line)
{
	const struct engine *engine = data;

	if (level == PINTLE_LOG_PROGRAM || (level == PINTLE_LOG_NOTE && engine->verbose))
		complain("%s", line);
}

static int register_all(struct pintle_host *host)
{
	int err = pintle_host_add_self(host);

	if (!err)
		err = xdp_register(host);
	if (!err)
		err = flow_register(host);
	if (!err)
		err = frame_register(host);
	if (!err)
		err = pintle_hook_add(host, on_timer);
	return err;
}

int engine_open(struct engine *engine)
{
	struct pintle_host_opts opts = {sizeof(opts), log_line, engine};

	engine->host = pintle_host_new(&opts);
	if (!engine->host || register_all(engine->host))
		return complain("%s", pintle_host_error(engine->host));
	return flow_table_init(&engine->flows);
}

void engine_close(struct engine *engine)
{
	for (unsigned int i = 0; i < engine->nobjects; i++)
		pintle_close(engine->objects[i]);
	if (engine->host)
		pintle_drain(engine->host);
	flow_table_free(&engine->flows);
	pintle_host_free(engine->host);
	engine->host = NULL;
}

/* ---- writing ---- */

static int write_out(struct engine *engine, const struct frame *frame)
{
	engine->written++;
	return output_frame(engine->output, frame, engine->now);
}

/* What programs sent during the run that is over. */
static int write_sent(struct engine *engine)
{
	struct frame *frame = engine->sending;
	int err = 0;

	engine->sending = NULL;
	while (frame) {
		struct frame *next = frame->next;

		if (!err)
			err = write_out(engine, frame);
		frame_put(frame);
		frame = next;
	}
	return err;
}

/* ---- time ---- */

static int tick(struct engine *engine, uint64_t now)
{
	engine->now = now;
	engine->next_tick = now + TICK_NS;
	engine->ticks++;
	on_timer(now);
	flow_table_sweep(engine);
	return engine->sending ? write_sent(engine) : 0;
}

/* Time never goes back, whatever the timestamps say. */
static int advance(struct engine *engine, uint64_t to)
{
	if (!engine->next_tick)
		engine->next_tick = to + TICK_NS;
	for (int i = 0; engine->next_tick <= to && i < MAX_TICKS; i++)
		if (tick(engine, engine->next_tick))
			return -1;
	if (engine->next_tick <= to)
		engine->next_tick = to + TICK_NS;
	if (engine->now < to)
		engine->now = to;
	return 0;
}

/* What programs still hold gets the time to be sent. */
static int last_ticks(struct engine *engine)
{
	for (int i = 0; i < LAST_TICKS && engine->next_tick && !stopped; i++)
		if (tick(engine, engine->next_tick))
			return -1;
	return 0;
}

/* ---- a frame ---- */

static enum verdict verdict_of(const struct xdp_run *run, uint64_t result)
{
	static const enum verdict by_code[] = {
		[XDP_ABORTED] = ABORTED, [XDP_DROP] = DROPPED, [XDP_PASS] = PASSED,
		[XDP_TX] = SENT_BACK, [XDP_REDIRECT] = REDIRECTED,
	};
	uint32_t code = (uint32_t)result;

	if (run->taken)
		return TAKEN;
	if (code > XDP_REDIRECT || (code == XDP_REDIRECT && !run->redirected))
		return ABORTED;
	return by_code[code];
}

static int run_program(struct engine *engine, struct program *program,
		       struct frame *frame, enum verdict *verdict)
{
	struct xdp_run run;
	uint64_t result = 0, begin, ns;

	xdp_begin(&run, engine, frame);
	run.program = program;
	begin = timing_clock();
	if (pintle_prog_run(program->prog, &run, &result))
		return complain("%s could not run: %s", pintle_prog_name(program->prog),
				pintle_host_error(engine->host));
	ns = timing_clock() - begin;
	*verdict = verdict_of(&run, result);
	program->packets++;
	program->verdicts[*verdict]++;
	timing_add(&program->timing, ns > engine->clock_ns ? ns - engine->clock_ns : 0);
	program->hits += run.counted && !run.looked_up;
	return 0;
}

static int run_programs(struct engine *engine, struct frame *frame)
{
	enum verdict verdict = PASSED;
	int err = 0;

	for (unsigned int i = 0; !err && i < engine->nprograms && verdict == PASSED; i++)
		err = run_program(engine, &engine->programs[i], frame, &verdict);
	if (!err && engine->sending)
		err = write_sent(engine);
	if (!err && (verdict == PASSED || verdict == SENT_BACK || verdict == REDIRECTED))
		err = write_out(engine, frame);
	return err;
}

static int process(struct engine *engine, const struct record *record)
{
	struct frame *frame;
	int err = advance(engine, record->time);

	if (err)
		return err;
	frame = frame_new(engine, record);
	if (!frame)
		return -1;
	engine->read++;
	err = run_programs(engine, frame);
	frame_put(frame);
	return err;
}

/* ---- all frames ---- */

/* The timestamps of the next pass over the capture go on where this one ended. */
static int again(struct engine *engine, struct source *source, uint64_t first)
{
	if (!source->rewind)
		return complain("only files can be read more than once");
	if (source->rewind(source))
		return -1;
	engine->shift = engine->now + TICK_NS - first;
	return 0;
}

static int run_once(struct engine *engine, struct source *source, uint64_t *first)
{
	struct record record;
	int got = 0;

	while (!stopped && (got = source->next(source, &record)) > 0) {
		if (!*first)
			*first = record.time;
		record.time += engine->shift;
		if (got == 1 ? process(engine, &record) : advance(engine, record.time))
			return -1;
		report_progress(engine, source);
	}
	return got < 0 ? -1 : 0;
}

int engine_run(struct engine *engine, struct source *source, unsigned int repeat)
{
	uint64_t first = 0;
	int err;

	engine->clock_ns = timing_clock_cost();
	engine->ifindex = source->ifindex ? source->ifindex : 1;
	engine->passes = repeat;
	err = run_once(engine, source, &first);
	while (!err && !stopped && ++engine->pass < repeat) {
		err = again(engine, source, first);
		if (!err)
			err = run_once(engine, source, &first);
	}
	if (!err)
		err = last_ticks(engine);
	report_progress_end();
	return err;
}
