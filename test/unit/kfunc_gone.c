/* SPDX-License-Identifier: MIT
 *
 * kfunc_gone.c: each function of the kernel's that --kernel knows is provided by the engine,
 * or the refusal says why not and what to use (src/abi/kfuncs_gone.def). docs/kfuncs.md is
 * that table.
 */
#include "pintle/pintle.h"
#include "run/run.h"
#include "test.h"

#include <stdlib.h>

static const char *const known[] = {
#define KFUNC(group, name, flags) #name,
#include "abi/linux/kfuncs.def"
};

static bool runs(struct pintle_host *host, const char *name)
{
	return abi_find_kfunc(&host->abi, name);
}

/* Some are in several groups. */
static bool seen_before(u32 i)
{
	for (u32 k = 0; k < i; k++)
		if (!strcmp(known[k], known[i]))
			return true;
	return false;
}

static void row(FILE *f, struct pintle_host *host, const char *name)
{
	const struct abi_gone *gone = abi_kfunc_gone(name);

	if (runs(host, name))
		fprintf(f, "| `%s` | runs |\n", name);
	else if (gone)
		fprintf(f, "| `%s` | no: %s; instead: %s |\n", name, gone->why, gone->instead);
}

/* The page as it should be; the caller frees it. */
static char *page(struct pintle_host *host)
{
	size_t size = 0;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	CHECK(f);
	fprintf(f, "# Functions\n\nWhich of the kernel's functions (kfuncs) the library provides to "
		   "programs in a process, and which of\nthem it cannot; written by "
		   "`build/test/pintle-test helpers_page` with `WRITE_HELPERS=1`. A host exports\n"
		   "functions of its own, under these names too.\n\n| function | |\n| --- | --- |\n");
	for (u32 s = 1; s < NR_KS; s++)
		if (runs(host, abi_special(s)->name))
			row(f, host, abi_special(s)->name);
	for (u32 i = 0; i < ARRAY_SIZE(known); i++)
		if (!seen_before(i) && !runs(host, known[i]))
			row(f, host, known[i]);
	fclose(f);
	return text;
}

TEST(kfuncs_run_or_say_why_not)
{
	struct pintle_host *host = pintle_host_new(NULL);

	CHECK(host);
	for (u32 i = 0; i < ARRAY_SIZE(known); i++)
		if (!runs(host, known[i]) && !abi_kfunc_gone(known[i]))
			test_fail(__FILE__, __LINE__, "%s is neither the engine's nor in "
				  "abi/kfuncs_gone.def", known[i]);
	CHECK(!abi_kfunc_gone("conn_get"));
	CHECK(!abi_kfunc_gone(""));
	CHECK(strstr(abi_kfunc_gone("bpf_dynptr_from_skb")->why, "socket buffer"));
	pintle_host_free(host);
}

TEST(helpers_page_of_functions_is_the_table)
{
	char *want, *got = NULL;
	bool write = getenv("WRITE_HELPERS");
	/* Asked for by tools/check-docs. */
	FILE *f = write || getenv("CHECK_HELPERS")
			  ? fopen(SOURCE_DIR "/docs/kfuncs.md", write ? "w" : "r")
			  : NULL;
	struct pintle_host *host;
	size_t n = 0;

	if (!f)
		return;
	host = pintle_host_new(NULL);
	CHECK(host);
	want = page(host);
	if (write)
		fputs(want, f);
	else if (getdelim(&got, &n, 0, f) < 0 || strcmp(got, want))
		test_fail(__FILE__, __LINE__, "docs/kfuncs.md is old: WRITE_HELPERS=1 "
			  "build/test/pintle-test helpers_page");
	fclose(f);
	free(got);
	free(want);
	pintle_host_free(host);
}
