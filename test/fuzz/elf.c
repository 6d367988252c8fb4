/* SPDX-License-Identifier: MIT
 *
 * Any bytes as an object, for the test host: it opens or says why not, every program of it
 * is accepted or refused with words, and what is accepted becomes code that holds together.
 */
#include "base/arena.h"
#include "fixture/host.h"
#include "run/run.h"
#include "test.h"

#include <stdarg.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SIZE = 1 << 17, VERIFY_INSNS = 20000 };

static struct pintle_host *host;
static int thing; /* stands for maps and functions: nothing runs here */

/* The fixture's checks. */
_Noreturn void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	host = test_host_new();
	return 0;
}

static void *any_map(void *data, u32 index)
{
	return &thing;
}

static void *any_kfunc(void *data, const struct abi_kfunc *kfunc)
{
	return &thing;
}

static void *any_var(void *data, const struct abi_var *var)
{
	return &thing;
}

static void *any_helper(void *data, const struct abi_prog_type *type, u32 id)
{
	return helper_find(host, type, id);
}

static void lower_proof(struct log *log, const struct proof *proof)
{
	static const struct link link = {.map = any_map, .map_value = any_map,
					 .helper = any_helper, .kfunc = any_kfunc,
					 .var = any_var};
	struct code *code = NULL;
	u32 at;

	if (!lower(log, proof, &link, &code) && code_check(code, &at))
		abort();
	code_free(code);
}

static void verify_prog(const struct image *image, const struct image_prog *prog)
{
	static const struct verify_opts opts = {.max_insns = VERIFY_INSNS};
	struct arena *arena = arena_new();
	struct rejection why = {0};
	struct proof *proof = NULL;
	struct log log = {0};

	if (!arena)
		abort();
	if (!verify(arena, &log, image, prog, &opts, &proof, &why, NULL))
		lower_proof(&log, proof);
	else if (!why.message && !log.error[0])
		abort();
	proof_free(proof);
	log_free(&log);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image *image = NULL;
	struct log log = {0};

	if (size > MAX_SIZE)
		return -1;
	if (!image_open(&log, &host->abi, data, size, NULL, &image)) {
		for (u32 i = 0; i < image->nprogs; i++)
			if (image->progs[i].type)
				verify_prog(image, &image->progs[i]);
	} else if (!log.error[0]) {
		abort();
	}
	image_free(image);
	log_free(&log);
	return 0;
}
