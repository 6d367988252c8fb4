/* SPDX-License-Identifier: MIT
 *
 * engine.h: the packet engine's own vocabulary. Files:
 *
 *	main.c      command line to engine, exit codes
 *	options.c   the command line
 *	engine.c    frames in, programs over them, time, verdicts
 *	programs.c  objects loaded, programs found in them
 *	xdp.c       what XDP programs see: context and helpers
 *	flow.c      the table of flows; functions exported to programs
 *	frame.c     frames; functions exported to programs
 *	capture.c   pcap files, read strictly
 *	output.c    pcap files and interfaces, written
 *	live.c      interfaces, read and written through libpcap
 *	timing.c    time per packet
 *	report.c    tables, the accounting, the progress line
 *
 * One thread runs programs. Objects may be freed by another (a destructor that the
 * library deferred), so their counts are atomic.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include "packet.h"

#include <pintle/pintle.h>
#include <signal.h>
#include <stdio.h>

enum { TICK_NS = 1000000, MAX_PROGRAMS = 64, MAX_FRAME = 262144, HEADROOM = 256,
       TAILROOM = 256, MIN_FRAME = 14 };

/* What became of a frame; the first five are XDP's return codes. */
enum verdict { ABORTED, DROPPED, PASSED, SENT_BACK, REDIRECTED, TAKEN, NR_VERDICTS };

struct tally { /* of one type of counted object */
	uint64_t made, freed;
};

/* ---- input and output ---- */

struct record {
	uint64_t time;
	uint32_t len, wire_len;
	const uint8_t *data;
};

struct source {
	/* 1: a record; 0: the end; 2: no record, but time went on (record->time);
	 * -1: failed, and said so. */
	int (*next)(struct source *source, struct record *record);
	int (*rewind)(struct source *source); /* NULL: cannot be read again */
	double (*done)(struct source *source); /* 0..1 of it is read; NULL: unknown */
	void (*close)(struct source *source);
	bool nanoseconds;
	uint32_t ifindex;
};
struct source *capture_open(const char *path);
struct source *live_open(const char *iface);

struct output;
/* NULL path and interface: frames are counted and go nowhere. */
struct output *output_open(const char *path, const char *iface, bool nanoseconds);
int output_frame(struct output *output, const struct frame *frame, uint64_t time);
int output_close(struct output *output); /* NULL is fine */

struct injector; /* an interface that frames are sent out on */
struct injector *live_inject_open(const char *iface);
int live_inject(struct injector *injector, const void *data, uint32_t len);
void live_inject_close(struct injector *injector);

/* ---- time per packet ---- */

enum { TIMING_STEPS = 62 * 16 };
struct timing {
	uint64_t count, steps[TIMING_STEPS];
};
uint64_t timing_clock(void);
uint64_t timing_clock_cost(void);
void timing_add(struct timing *timing, uint64_t ns);
double timing_median(const struct timing *timing);

/* ---- the engine ---- */

struct program { /* an XDP program, in the order frames meet them */
	struct pintle_prog *prog;
	uint64_t bit; /* in flow.users */
	uint64_t packets, verdicts[NR_VERDICTS];
	uint64_t flows, lookups, hits;
	struct timing timing;
};

struct flow_table {
	struct flow **chains;
	uint32_t nchains, count;
	uint64_t seed, next_sweep;
	struct tally tally;
};

struct engine {
	struct pintle_host *host;
	struct pintle_object *objects[MAX_PROGRAMS];
	const char *paths[MAX_PROGRAMS];
	unsigned int nobjects;
	struct program programs[MAX_PROGRAMS];
	unsigned int nprograms;
	struct flow_table flows;
	struct tally frames;
	struct output *output;
	struct frame *sending, *sending_last; /* written when the run is over */
	uint64_t now, next_tick, shift; /* shift: added to the capture's timestamps */
	uint64_t read, written, ticks, clock_ns;
	unsigned int pass, passes; /* over the input */
	uint32_t ifindex;
	bool verbose;
};

extern volatile sig_atomic_t stopped; /* by SIGINT or SIGTERM */

/* The context of a run; programs see it as struct xdp_md. */
struct xdp_run {
	uint8_t *data, *data_end, *data_meta;
	uint32_t ifindex, queue, egress;
	struct frame *frame;
	struct engine *engine;
	struct program *program;
	bool taken, redirected, looked_up, counted;
};

/* "packet: ..." on standard error; -1. */
int complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

int engine_open(struct engine *engine); /* the library's host, types and exports */
int engine_run(struct engine *engine, struct source *source, unsigned int repeat);
void engine_close(struct engine *engine); /* programs and maps go, then flows */

int programs_load(struct engine *engine, const char *path);

int xdp_register(struct pintle_host *host);
void xdp_begin(struct xdp_run *run, struct engine *engine, struct frame *frame);

int flow_register(struct pintle_host *host);
int flow_table_init(struct flow_table *table);
void flow_table_sweep(struct engine *engine);
void flow_table_free(struct flow_table *table);

int frame_register(struct pintle_host *host);
struct frame *frame_new(struct engine *engine, const struct record *record);

void report_progress(const struct engine *engine, struct source *source);
void report_progress_end(void);
void report(const struct engine *engine, bool stats);
/* Whether every object that was made is freed; says so. After engine_close(). */
bool report_accounts(const struct engine *engine);

/* ---- the command line ---- */

struct options {
	const char *file, *iface, *out_file, *out_iface;
	unsigned int repeat;
	bool stats, verbose, contract;
	char **programs;
	unsigned int nprograms;
};
/* 0: go on; 1: done (--help); -1: wrong, and said so. */
int options_parse(struct options *options, int argc, char **argv);

#endif
