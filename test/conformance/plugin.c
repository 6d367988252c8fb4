/* SPDX-License-Identifier: MIT
 *
 * pintle-conformance: a plugin of the public bpf_conformance runner. Runs bare
 * instructions and prints r0.
 *
 *	pintle-conformance ["HEX MEMORY"] [--interp|--jit] [--elf]
 *
 * Standard input holds the program as hexadecimal bytes, blanks between them or not; with
 * --elf they are an ELF object, whose .text is run. r1 is the address of the memory, r2 its
 * length. Helper 5 is "unwind": it returns r1, and ends the program when that is 0.
 *
 * Exit status: 0 and r0 in hex; 1 and an error when the program cannot run; 2 for usage.
 *
 * Nothing was verified here. Instructions that are none are refused; an access to memory
 * that is not there, or a program that does not end, is an error, not a crash.
 */
#include "jit/jit.h"
#include "run/run.h"

#include <ctype.h>
#include <gelf.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

enum { TIME_LIMIT = 20 /* seconds */, HELPER_UNWIND = 5 };

struct bytes {
	u8 *data;
	size_t n;
};

struct options {
	const char *memory;
	bool jit, elf;
};

static int complain(const char *fmt, ...) FORMAT(1, 2);
static int complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("pintle-conformance: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	return 1;
}

/* ------------------------------------------------------------------ input */

static int digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = tolower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes of two digits each. */
static int from_hex(const char *what, const char *text, struct bytes *out)
{
	*out = (struct bytes){malloc(strlen(text) / 2 + 1), 0};
	if (!out->data)
		return complain("out of memory");
	while (*text) {
		int high, low;

		if (isspace((unsigned char)*text)) {
			text++;
			continue;
		}
		high = digit(text[0]);
		low = high < 0 ? -1 : digit(text[1]);
		if (low < 0)
			return complain("%s: not hexadecimal bytes at '%.8s'", what, text);
		out->data[out->n++] = (u8)(high << 4 | low);
		text += 2;
	}
	return 0;
}

static char *read_all(FILE *file)
{
	size_t cap = 0, n = 0, got;
	char *text = NULL, *more;

	do {
		if (cap - n < 4096) {
			cap = cap ? 2 * cap : 8192;
			more = realloc(text, cap);
			if (!more) {
				free(text);
				return NULL;
			}
			text = more;
		}
		got = fread(text + n, 1, cap - n - 1, file);
		n += got;
	} while (got);
	text[n] = 0;
	return text;
}

/* The executable section to run: .text, or else the first one with anything in it. */
static Elf_Scn *code_section(Elf *elf)
{
	Elf_Scn *scn = NULL, *first = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_PROGBITS ||
		    !(sh.sh_flags & SHF_EXECINSTR) || !sh.sh_size)
			continue;
		name = elf_strptr(elf, names, sh.sh_name);
		if (name && !strcmp(name, ".text"))
			return scn;
		first = first ? first : scn;
	}
	return first;
}

/* Replaces an ELF object by the bytes of its code. */
static int from_elf(struct bytes *bytes)
{
	Elf_Data *data = NULL;
	Elf_Scn *scn = NULL;
	struct bytes code;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)bytes->data, bytes->n);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		scn = code_section(elf);
	if (scn)
		data = elf_rawdata(scn, NULL);
	if (!data || !data->d_buf) {
		elf_end(elf);
		return complain("no ELF object with code");
	}
	code = (struct bytes){malloc(data->d_size), data->d_size};
	if (code.data)
		memcpy(code.data, data->d_buf, data->d_size);
	elf_end(elf);
	free(bytes->data);
	*bytes = code;
	return code.data ? 0 : complain("out of memory");
}

static int read_program(const struct options *o, struct bytes *bytes)
{
	char *text = read_all(stdin);
	int err;

	if (!text)
		return complain("out of memory");
	err = from_hex("program", text, bytes);
	free(text);
	if (!err && o->elf)
		err = from_elf(bytes);
	if (!err && (!bytes->n || bytes->n % sizeof(struct insn)))
		err = complain("%zu bytes are not a program: instructions have 8", bytes->n);
	return err;
}

/* ------------------------------------------------------------------ running */

static sigjmp_buf out; /* where a program goes that cannot go on */
enum { RAN, UNWOUND, BAD_ACCESS, TIME_OVER };

static u64 unwind(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5)
{
	if (!r1)
		siglongjmp(out, UNWOUND);
	return r1;
}

static void on_signal(int sig)
{
	siglongjmp(out, sig == SIGALRM ? TIME_OVER : BAD_ACCESS);
}

static void catch_signals(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGALRM};
	struct sigaction sa = {.sa_handler = on_signal};

	for (u32 i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &sa, NULL);
	alarm(TIME_LIMIT);
}

static void *find_helper(void *data, const struct abi_prog_type *type, u32 id)
{
	return id == HELPER_UNWIND ? (void *)unwind : NULL;
}

static int run(const struct code *code, const struct bytes *memory)
{
	static struct slot_ctx slot;
	u64 r1 = memory->n ? (u64)(uintptr_t)memory->data : 0, r0;

	catch_signals();
	switch (sigsetjmp(out, 1)) {
	case RAN:
		r0 = code_run(code, r1, memory->n, &slot);
		break;
	case UNWOUND:
		r0 = 0;
		break;
	case BAD_ACCESS:
		return complain("the program accessed memory that is not there");
	default:
		return complain("the program did not end in %d seconds", TIME_LIMIT);
	}
	printf("%" PRIx64 "\n", r0);
	return fflush(stdout) ? complain("standard output: %s", strerror(errno)) : 0;
}

/* With @native, native code or nothing. */
static int compile_and_run(struct log *log, struct code *code, const struct bytes *memory,
			   bool native)
{
	static struct pintle_host host;
	struct jit *jit = native ? native_compile_one(&host, log, code) : NULL;
	int failed;

	if (native && !jit)
		return complain("no native code: %s", log->error);
	failed = run(code, memory);
	jit_free(jit);
	return failed;
}

static int run_bytes(const struct options *o, const struct bytes *bytes,
		     const struct bytes *memory)
{
	static const struct link link = {.helper = find_helper};
	static const struct abi abi;
	struct log log = {0};
	struct image *image = NULL;
	struct proof *proof = NULL;
	struct code *code = NULL;
	u32 n = (u32)(bytes->n / sizeof(struct insn));
	int failed;

	failed = image_from_insns(&log, &abi, "program", NULL,
				  (const struct insn *)bytes->data, n, &image) ||
		 proof_assume(&log, image, &image->progs[0], &proof) ||
		 lower(&log, proof, &link, &code);
	failed = failed ? complain("%s", log.error)
			: compile_and_run(&log, code, memory, o->jit);
	code_free(code);
	proof_free(proof);
	image_free(image);
	log_free(&log);
	return failed;
}

/* ------------------------------------------------------------------ usage */

static int usage(FILE *to, int status)
{
	fputs("usage: pintle-conformance [\"HEX MEMORY\"] [--interp|--jit] [--elf]\n"
	      "Reads a program as hexadecimal bytes from standard input, runs it on the\n"
	      "memory, and prints r0 in hexadecimal.\n", to);
	return status;
}

/* 0 to go on; else the exit status + 1. */
static int parse(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return usage(stdout, 0) + 1;
		if (!strcmp(argv[i], "--elf"))
			o->elf = true;
		else if (!strcmp(argv[i], "--jit"))
			o->jit = true;
		else if (!strcmp(argv[i], "--interp"))
			o->jit = false;
		else if (argv[i][0] == '-' || o->memory)
			return usage(stderr, 2) + 1;
		else
			o->memory = argv[i];
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct bytes program = {0}, memory = {0};
	int err = parse(argc, argv, &o);

	if (err)
		return err - 1;
	err = from_hex("memory", o.memory ? o.memory : "", &memory);
	if (!err)
		err = read_program(&o, &program);
	if (!err)
		err = run_bytes(&o, &program, &memory);
	free(program.data);
	free(memory.data);
	return err;
}
