/* SPDX-License-Identifier: MIT
 *
 * cli.h: what the subcommands of `pintle` share. Exit codes: 0 done (all accepted), 1 some
 * program refused or failed, 2 bad usage or an unreadable file.
 */
#ifndef PINTLE_CLI_H
#define PINTLE_CLI_H

#include "run/run.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

struct command {
	const char *name, *usage, *what;
	int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/* Whether @f is a terminal that wants colour (NO_COLOR is respected). */
bool colour_wanted(FILE *f);
/* "error: ..." on standard error; EXIT_USAGE. */
int usage_error(const char *fmt, ...) FORMAT(1, 2);

/* host.c: a host that knows what @files (--host) say. NULL after words. */
struct pintle_host *cli_host(const char *const *files, u32 n);
/* A whole file and a NUL behind it; NULL and errno. The caller frees it. */
char *read_all(const char *path, size_t *len);

/* contract.c: registers the lines of a contract; @from for messages. */
int contract_read(struct pintle_host *host, const char *from, const char *text, size_t len);

/* json.c: a JSON string with its quotes. */
void json_string(FILE *f, const char *text);

/* verify.c: prints the verdict on each program of @image, of file @path; 0 or EXIT_REFUSED. */
struct verify_options;
int verify_image(const struct verify_options *o, const char *path, const struct image *image);

/* kernel.c: `verify --kernel`: by the rules of a kernel, not of a host. */
enum { MAX_FILES = 64 };
struct kernel_options {
	const char *version, *btf;
	const char *module_btfs[MAX_FILES], *kfuncs[MAX_FILES];
	u32 nmodule_btfs, nkfuncs;
};
/* Flags that a program's own annotation asks to be loaded with. */
void kernel_flags(const struct image *image, const struct image_prog *prog,
		  struct verify_opts *opts);
int kernel_verify(const struct kernel_options *k, const struct verify_options *o,
		  char *const *paths, int n);

/* dump_native.c: what the programs of a loaded object became. */
void dump_native(const struct pintle_object *object);

int cmd_verify(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_remote(int argc, char **argv); /* prog, hook, map, refs, top, replace */
int cmd_explain(int argc, char **argv);

#endif
