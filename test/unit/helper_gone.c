/* SPDX-License-Identifier: MIT
 *
 * helper_gone.c: each helper of the kernel's interface runs here, or the refusal says why it
 * cannot and what to use (src/abi/helpers_gone.def). docs/helpers.md is that table.
 */
#include "abi/abi.h"
#include "run/helper/helpers.h"
#include "test.h"

#include <stdlib.h>

static bool runs(u32 id)
{
	static const u32 ids[] = {
#define HELPER(number, name) number,
#include "run/helper/helpers.def"
#undef HELPER
	};

	for (u32 i = 0; i < ARRAY_SIZE(ids); i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* The page as it should be; the caller frees it. */
static char *page(void)
{
	size_t size = 0;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	CHECK(f);
	fprintf(f, "# Helpers\n\nWhich of the kernel's helpers programs may call in a process; "
		   "written by `build/test/pintle-test helpers`\nwith `WRITE_HELPERS=1`. A host "
		   "may add those of its own program types.\n\n| helper | |\n| --- | --- |\n");
	for (u32 id = 1; id < NR_HELPER_IDS; id++) {
		const struct abi_gone *gone = abi_helper_gone(id);

		if (runs(id) || !gone)
			fprintf(f, "| `%s` | runs |\n", abi_helper_name(id));
		else
			fprintf(f, "| `%s` | no: %s; instead: %s |\n", abi_helper_name(id),
				gone->why, gone->instead);
	}
	fclose(f);
	return text;
}

TEST(helpers_run_or_say_why_not)
{
	for (u32 id = 1; id < NR_HELPER_IDS; id++) {
		const struct abi_gone *gone = abi_helper_gone(id);

		if (!runs(id) && !gone)
			test_fail(__FILE__, __LINE__, "%s is neither in run/helpers.def nor in "
				  "abi/helpers_gone.def", abi_helper_name(id));
		CHECK(!gone || (*gone->why && *gone->instead));
	}
}

TEST(helpers_page_is_the_table)
{
	char *want, *got = NULL;
	bool write = getenv("WRITE_HELPERS");
	/* Asked for by tools/check-docs. */
	FILE *f = write || getenv("CHECK_HELPERS")
			  ? fopen(SOURCE_DIR "/docs/helpers.md", write ? "w" : "r")
			  : NULL;
	size_t n = 0;

	if (!f)
		return;
	want = page();
	if (write)
		fputs(want, f);
	else if (getdelim(&got, &n, 0, f) < 0 || strcmp(got, want))
		test_fail(__FILE__, __LINE__, "docs/helpers.md is old: WRITE_HELPERS=1 "
			  "build/test/pintle-test helpers_page");
	fclose(f);
	free(got);
	free(want);
}
