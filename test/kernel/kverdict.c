/* SPDX-License-Identifier: MIT
 *
 * kverdict.c: asks the live kernel about annotated programs (test/verdict/verdict.h) and
 * compares its verdict with the one written beside each. Every program is loaded alone;
 * nothing is attached or pinned.
 *
 *	kverdict [-v] OBJECT...
 *
 * A program that needs what the kernel does not have is skipped: program types of our own,
 * host functions without a twin, members that its types lack. The last line is
 * "N passed, N failed, N skipped"; exit 0, 1 when something failed, 77 where bpf(2) is not
 * permitted.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_SIZE = 1 << 22 };

static struct {
	char log[LOG_SIZE];
	bool verbose, no_btf;
	int passed, failed, skipped;
} all;

struct expectation {
	bool known, accept;
	const char *book, *why; /* why: the kernel's verdict is another one than Pintle's */
};

/* libbpf goes on without BTF, and says so; then no verdict means anything. */
static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (strstr(fmt, "Error loading .BTF"))
		all.no_btf = true;
	return all.verbose && level == LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

static void read_tag(struct expectation *e, const char *tag)
{
	static const char kernel[] = "kernel:accept:";

	if (!strncmp(tag, "book:", 5)) {
		e->book = tag + 5;
	} else if (!strncmp(tag, "kernel:", 7)) {
		e->known = true;
		e->accept = !strncmp(tag, kernel, sizeof(kernel) - 1);
		e->why = tag + sizeof(kernel) - 1;
	} else if (!e->why && (!strcmp(tag, "accept") || !strncmp(tag, "reject:", 7))) {
		e->known = true;
		e->accept = *tag == 'a';
	}
}

/* The "expect:" tags of function @name. */
static struct expectation expectation_of(const struct btf *btf, const char *name)
{
	struct expectation e = {.book = ""};
	int func = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);

	for (unsigned int i = 1; func > 0 && i < btf__type_cnt(btf); i++) {
		const struct btf_type *t = btf__type_by_id(btf, i);
		const char *text = btf__name_by_offset(btf, t->name_off);

		if (btf_is_decl_tag(t) && (int)t->type == func &&
		    btf_decl_tag(t)->component_idx == -1 && !strncmp(text, "expect:", 7))
			read_tag(&e, text + 7);
	}
	return e;
}

/*
 * The program uses what is not there: libbpf made a call of nothing (0) of it, or one of a
 * helper with a number far beyond all, depending on its version.
 */
static bool is_absent(const struct bpf_program *prog)
{
	const struct bpf_insn *insns = bpf_program__insns(prog);

	for (size_t i = 0; i < bpf_program__insn_cnt(prog); i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) &&
		    insns[i].src_reg != BPF_PSEUDO_CALL &&
		    (!insns[i].imm || (!insns[i].src_reg && insns[i].imm > 100000000)))
			return true;
	return false;
}

/* The last line of the log but its statistics. */
static const char *last_words(char *log)
{
	char *end = strstr(log, "\nprocessed "), *line;

	if (end)
		*end = 0;
	line = strrchr(log, '\n');
	return line ? line + 1 : log;
}

static void compare(const char *path, const struct bpf_program *prog,
		    const struct expectation *e, int err)
{
	const char *name = bpf_program__name(prog);

	if (is_absent(prog)) {
		all.skipped++;
		return;
	}
	if (all.no_btf || (err && !*all.log)) {
		all.failed++;
		printf("%s: %s %s: no verdict: %s\n", path, name, e->book,
		       all.no_btf ? "the object's BTF is refused" : strerror(-err));
		return;
	}
	if (!err == e->accept) {
		all.passed++;
		if (all.verbose && e->why)
			printf("%s: %s %s: as said: %s\n", path, name, e->book, e->why);
		return;
	}
	all.failed++;
	printf("%s: %s %s: %s, want %s: %s\n", path, name, e->book,
	       err ? "refused" : "accepted", e->accept ? "accepted" : "refused",
	       err ? last_words(all.log) : "");
}

/* Loads program number @index alone. */
static int check_one(const char *path, int index)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = all.log,
		    .kernel_log_size = LOG_SIZE, .kernel_log_level = 1);
	struct bpf_object *obj = bpf_object__open_file(path, &opts);
	struct bpf_program *prog, *mine = NULL;
	struct expectation e;
	int n = 0, err;

	if (!obj)
		return -errno;
	bpf_object__for_each_program(prog, obj) {
		bpf_program__set_autoload(prog, n == index);
		if (n++ == index)
			mine = prog;
	}
	all.log[0] = 0;
	all.no_btf = false;
	e = expectation_of(bpf_object__btf(obj), bpf_program__name(mine));
	if (!e.known || bpf_program__type(mine) == BPF_PROG_TYPE_UNSPEC) {
		all.skipped++;
		err = 0;
	} else {
		err = bpf_object__load(obj);
		if (err != -EPERM || *all.log)
			compare(path, mine, &e, err);
	}
	bpf_object__close(obj);
	return err == -EPERM && !*all.log ? -EPERM : 0;
}

static int check_object(const char *path)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog;
	int n = 0, err = 0;

	if (!obj) {
		printf("%s: cannot open: %s\n", path, strerror(errno));
		all.failed++;
		return 0;
	}
	bpf_object__for_each_program(prog, obj)
		n++;
	bpf_object__close(obj);
	for (int i = 0; i < n && !err; i++)
		err = check_one(path, i);
	return err;
}

int main(int argc, char **argv)
{
	libbpf_set_print(quiet);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-v")) {
			all.verbose = true;
			continue;
		}
		if (check_object(argv[i]) == -EPERM) {
			printf("skipped: bpf(2) is not permitted here\n");
			return 77;
		}
	}
	printf("%d passed, %d failed, %d skipped\n", all.passed, all.failed, all.skipped);
	return all.failed != 0;
}
