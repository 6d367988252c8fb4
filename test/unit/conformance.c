/* SPDX-License-Identifier: MIT
 *
 * The conformance plugin from outside: what it prints, and that garbage is an error.
 */
#include "test.h"

#include "base/arena.h"
#include "base/log.h"
#include "isa/isa.h"

#include <sys/wait.h>
#include <unistd.h>

#define PLUGIN BUILD_DIR "/test/conformance/pintle-conformance"

static char said[512]; /* both outputs of the last run */

/* The exit status of the plugin with @args, @input on its standard input. */
static int plugin(const char *args, const char *input)
{
	char cmd[1024];
	size_t n;
	FILE *file;
	int status;

	if (access(PLUGIN, X_OK))
		SKIP("no " PLUGIN);
	snprintf(cmd, sizeof(cmd), "printf '%%s\\n' '%s' | " PLUGIN " %s 2>&1", input, args);
	file = popen(cmd, "r");
	CHECK(file != NULL);
	n = fread(said, 1, sizeof(said) - 1, file);
	said[n] = 0;
	status = pclose(file);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* The program's bytes in hex, blanks between them as the runner writes. Static storage. */
static const char *hex(const char *text)
{
	static char out[900];
	struct arena *arena = arena_new();
	struct log log = {0};
	struct insn *insns;
	u32 n;

	if (isa_assemble(arena, &log, text, &insns, &n))
		test_fail(__FILE__, __LINE__, "%s", log.error);
	CHECK(n * sizeof(*insns) * 3 < sizeof(out));
	for (u32 i = 0; i < n * sizeof(*insns); i++)
		sprintf(out + 3 * i, "%02x ", ((u8 *)insns)[i]);
	arena_free(arena);
	log_free(&log);
	return out;
}

TEST(conformance_prints_r0)
{
	CHECK_EQ(plugin("", hex("r0 = -2\nexit")), 0);
	CHECK_STR(said, "fffffffffffffffe\n");
	CHECK_EQ(plugin("'01 02 0304' --interp", hex("r0 = *(u32 *)(r1 +0)\nexit")), 0);
	CHECK_STR(said, "4030201\n");
	CHECK_EQ(plugin("'01 02 03'", hex("r0 = r2\nexit")), 0);
	CHECK_STR(said, "3\n");
	CHECK_EQ(plugin("''", hex("call f\nr0 += 1\nexit\nf: r0 = 15\nexit")), 0);
	CHECK_STR(said, "10\n");
}

TEST(conformance_native)
{
	int status = plugin("'01 02 0304' --jit", hex("r0 = *(u32 *)(r1 +0)\nexit"));

	if (status)
		CHECK_HAS(said, "no native code");
	else
		CHECK_STR(said, "4030201\n");
}

TEST(conformance_unwind)
{
	const char *text = "call f\nr0 = 7\nexit\nf: call 5\nr0 = 8\nexit";

	CHECK_EQ(plugin("", hex(text)), 0); /* r1 is 0 */
	CHECK_STR(said, "0\n");
	CHECK_EQ(plugin("'00'", hex(text)), 0);
	CHECK_STR(said, "7\n");
}

TEST(conformance_garbage_is_an_error)
{
	CHECK_EQ(plugin("", "zz"), 1);
	CHECK_EQ(plugin("", ""), 1);
	CHECK_EQ(plugin("", "95 00 00"), 1);
	CHECK_EQ(plugin("", "ff ff ff ff ff ff ff ff"), 1);
	CHECK_EQ(plugin("'0'", hex("r0 = 0\nexit")), 1);
	CHECK_EQ(plugin("", hex("r0 = 0")), 1);
	CHECK_EQ(plugin("", hex("goto +5\nexit")), 1);
	CHECK_EQ(plugin("", hex("call 99\nexit")), 1);
	CHECK_EQ(plugin("--elf", hex("r0 = 0\nexit")), 1);
	CHECK_EQ(plugin("--what", ""), 2);
}

TEST(conformance_wild_pointers_are_an_error)
{
	CHECK_EQ(plugin("", hex("r0 = *(u64 *)(r1 +0)\nexit")), 1);
	CHECK_HAS(said, "memory that is not there");
	CHECK_EQ(plugin("", hex("r1 = 0x7000000000000000 ll\n*(u64 *)(r1 +0) = r1\nexit")), 1);
}
