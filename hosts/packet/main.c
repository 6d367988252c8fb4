/* SPDX-License-Identifier: MIT
 *
 * main.c: a packet engine that lets its operator's programs decide. Everything it needs
 * of Pintle is the public API; this file is the order in which things happen.
 */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FINE, REFUSED, FAILED }; /* exit codes */

volatile sig_atomic_t stopped;

static void stop(int signal)
{
	stopped = signal;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int load_all(struct engine *engine, const struct options *options)
{
	for (unsigned int i = 0; i < options->nprograms; i++)
		if (programs_load(engine, options->programs[i]))
			return REFUSED;
	return FINE;
}

/* The frames before a fault in the input count: the tables are printed in any case. */
static int run(struct engine *engine, struct source *source, const struct options *options)
{
	int err;

	engine->output = output_open(options->out_file, options->out_iface,
				     source->nanoseconds);
	if (!engine->output)
		return FAILED;
	err = engine_run(engine, source, options->repeat);
	if (output_close(engine->output))
		err = -1;
	report(engine, options->stats);
	return err ? FAILED : FINE;
}

static int open_and_run(struct engine *engine, const struct options *options)
{
	struct source *source = options->file ? capture_open(options->file)
					      : live_open(options->iface);
	bool ready;
	int code;

	if (!source)
		return FAILED;
	code = engine_open(engine) ? FAILED : load_all(engine, options);
	ready = code == FINE;
	if (ready)
		code = run(engine, source, options);
	source->close(source);
	engine_close(engine);
	if (ready && !report_accounts(engine) && code == FINE)
		code = REFUSED;
	return code;
}

static void print_line(void *data, const char *text)
{
	(void)data;
	puts(text);
}

/* Types come from this very binary. */
static int print_contract(struct engine *engine)
{
	char path[4096] = "";
	int err = engine_open(engine);

	if (!err && readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		err = complain("/proc/self/exe cannot be read");
	if (!err) {
		printf("pintle-host 1\nbtf %s\n", path);
		err = pintle_host_describe(engine->host, print_line, NULL);
	}
	engine_close(engine);
	return err ? FAILED : FINE;
}

int main(int argc, char **argv)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	struct options options;
	int code = options_parse(&options, argc, argv);

	if (code || !engine) {
		free(engine);
		return code > 0 ? FINE : FAILED;
	}
	engine->verbose = options.verbose;
	catch_signals();
	code = options.contract ? print_contract(engine) : open_and_run(engine, &options);
	free(engine);
	return code;
}
