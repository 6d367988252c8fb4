/* SPDX-License-Identifier: MIT
 *
 * main.c: the `pintle` command: a table of subcommands.
 */
#include "cli/cli.h"

#include <unistd.h>

static int cmd_version(int argc, char **argv)
{
	printf("pintle %s\n", pintle_version());
	return EXIT_DONE;
}

static int cmd_help(int argc, char **argv);

static const struct command commands[] = {
	{"verify", "[--host FILE... | --kernel VERSION ...] [--json] [-v|-vv] OBJECT...",
	 "say whether each program would load, and why not", cmd_verify},
	{"bench", "verify [--kernel VERSION ...] OBJECT...",
	 "how long verifying each program takes, beside the running kernel", cmd_bench},
	{"run", "OBJECT --prog NAME [--data FILE | --hex BYTES] [--repeat N] [--budget N[ns|us|ms|s]] [--jit | --interp] [--perf] [--perf-dump] [--gdb] [--blind]",
	 "load one program and run it", cmd_run},
	{"dump", "[--host FILE]... [--native] OBJECT",
	 "instructions, source lines, maps and fields; or native code",
	 cmd_dump},
	{"explain", "[RULE]", "why a rule exists, and how to satisfy it", cmd_explain},
	{"prog", "list | show PROG | dump PROG   [--socket PATH] [--json]",
	 "programs of a running host", cmd_remote},
	{"map", "list | dump MAP | get MAP KEY | set MAP KEY VALUE | delete MAP KEY",
	 "maps of a running host (--socket, --json)", cmd_remote},
	{"hook", "list", "how often its hooks are called", cmd_remote},
	{"refs", "[TYPE] | totals", "which fields of its maps hold references", cmd_remote},
	{"top", "[--count N]", "how often its programs run, every second", cmd_remote},
	{"replace", "OBJECT [--name NAME] [--keep-data]",
	 "put a new object file in the place of one that runs there", cmd_remote},
	{"version", "", "print the version", cmd_version},
	{"help", "", "print this", cmd_help},
};

static void print_usage(FILE *f)
{
	fprintf(f, "usage: pintle COMMAND ...\n\n");
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(f, "  pintle %s %s\n\t%s\n", commands[i].name, commands[i].usage,
			commands[i].what);
	fprintf(f, "\nFILE of --host: the host's binary (types from its .BTF, exports from "
		   "its .pintle section),\nraw BTF, or a contract that the host printed. "
		   "Exit status: 0 done, 1 refused or failed, 2 usage.\n");
}

static int cmd_help(int argc, char **argv)
{
	print_usage(stdout);
	return EXIT_DONE;
}

bool colour_wanted(FILE *f)
{
	const char *no = getenv("NO_COLOR");

	return isatty(fileno(f)) && !(no && *no);
}

int usage_error(const char *fmt, ...)
{
	va_list args;

	fputs("pintle: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		name = "version";
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return commands[i].run(argc - 1, argv + 1);
	if (*name)
		fprintf(stderr, "pintle: no command '%s'\n", name);
	print_usage(stderr);
	return EXIT_USAGE;
}
