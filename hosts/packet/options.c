/* SPDX-License-Identifier: MIT
 *
 * options.c: the command line.
 */
#include "engine.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char help[] =
"usage: packet [OPTION]... PROGRAM.bpf.o...\n"
"\n"
"Runs XDP programs on Ethernet frames, in this process. Each frame meets the programs in\n"
"the order given until one of them does not return XDP_PASS. Programs may keep references\n"
"to flows and frames in their maps; a program on the hook on_timer runs every millisecond\n"
"of the capture's time.\n"
"\n"
"  -r, --read FILE        frames of a pcap file\n"
"  -i, --interface IFACE  frames from an interface, until interrupted\n"
"  -o, --write FILE       frames that pass are written to this pcap file\n"
"  -t, --transmit IFACE   frames that pass are sent out on this interface\n"
"      --repeat N         read the file N times\n"
"      --stats            more about programs, maps and references\n"
"      --contract         print what this host offers, for `pintle verify --host`\n"
"  -v, --verbose          the verifier's log, and notes of the library\n"
"  -h, --help             this text\n"
"\n"
"XDP_PASS, XDP_TX and XDP_REDIRECT let a frame pass; XDP_DROP and XDP_ABORTED do not.\n"
"A frame that a program took (frame_take) is the program's own to send, keep or put.\n"
"In the table, \"sent\" counts XDP_TX and XDP_REDIRECT, a cache hit is a packet counted on\n"
"its flow without a look-up, and ns/packet is the median.\n"
"\n"
"Exit status: 0 all well; 1 a program was refused, or an object is missing at the end;\n"
"2 wrong usage, or something could not be read or written.\n";

enum { OPT_REPEAT = 256, OPT_STATS, OPT_CONTRACT };

static const struct option longs[] = {
	{"read",      required_argument, NULL, 'r'},
	{"interface", required_argument, NULL, 'i'},
	{"write",     required_argument, NULL, 'o'},
	{"transmit",  required_argument, NULL, 't'},
	{"repeat",    required_argument, NULL, OPT_REPEAT},
	{"stats",     no_argument,       NULL, OPT_STATS},
	{"contract",  no_argument,       NULL, OPT_CONTRACT},
	{"verbose",   no_argument,       NULL, 'v'},
	{"help",      no_argument,       NULL, 'h'},
	{0},
};

static int wrong(const char *what)
{
	return complain("%s (packet --help says more)", what);
}

static int repeat_of(struct options *o, const char *text)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 1 || n > 1000000000)
		return wrong("--repeat needs a number from 1");
	o->repeat = (unsigned int)n;
	return 0;
}

static int option(struct options *o, int c)
{
	switch (c) {
	case 'r':
		o->file = optarg;
		return 0;
	case 'i':
		o->iface = optarg;
		return 0;
	case 'o':
		o->out_file = optarg;
		return 0;
	case 't':
		o->out_iface = optarg;
		return 0;
	case OPT_REPEAT:
		return repeat_of(o, optarg);
	case OPT_STATS:
		o->stats = true;
		return 0;
	case OPT_CONTRACT:
		o->contract = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case 'h':
		fputs(help, stdout);
		return 1;
	default: /* getopt has said what */
		return wrong("wrong usage");
	}
}

/* Writing would empty what is to be read. */
static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return a && b && !stat(a, &sa) && !stat(b, &sb) && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

static int check(const struct options *o)
{
	if (o->contract)
		return 0;
	if (!o->file && !o->iface)
		return wrong("nothing to read: give -r FILE or -i INTERFACE");
	if (o->file && o->iface)
		return wrong("-r and -i: one of them");
	if (o->iface && o->repeat > 1)
		return wrong("--repeat is for files");
	if (!o->nprograms)
		return wrong("no program given");
	if (same_file(o->file, o->out_file))
		return wrong("-r and -o are the same file");
	return 0;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int c, err = 0;

	*o = (struct options){.repeat = 1};
	while (!err && (c = getopt_long(argc, argv, "r:i:o:t:vh", longs, NULL)) != -1)
		err = option(o, c);
	if (err)
		return err;
	o->programs = argv + optind;
	o->nprograms = (unsigned int)(argc - optind);
	return check(o);
}
