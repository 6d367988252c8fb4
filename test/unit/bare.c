/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "jit/jit.h"
#include "unit/bare.h"

#include "run/field/local.h"

void bare_host(struct pintle_host *host)
{
	memset(host, 0, sizeof(*host));
	host->opts.max_slots = 8;
	CHECK_EQ(fault_init(host), 0);
	CHECK_EQ(slots_init(host), 0);
	CHECK_EQ(heap_init(host), 0);
	CHECK_EQ(defer_init(host), 0);
}

void bare_host_free(struct pintle_host *host)
{
	defer_free(host);
	heap_free(host);
	slots_free(host);
	fault_free(host);
	words_free(host);
}

void bare_make(struct bare *b, const char *text)
{
	struct insn *insns = NULL;
	u32 n = 0;

	memset(b, 0, sizeof(*b));
	bare_host(&b->host);
	b->arena = arena_new();
	if (isa_assemble(b->arena, &b->log, text, &insns, &n) ||
	    image_from_insns(&b->log, &b->abi, "bare", NULL, insns, n, &b->image) ||
	    proof_assume(&b->log, b->image, &b->image->progs[0], &b->proof))
		test_fail(__FILE__, __LINE__, "%s\n%s", b->log.error, text);
}

int bare_lower(struct bare *b, const struct link *link)
{
	static const struct link nothing;

	int err = lower(&b->log, b->proof, link ? link : &nothing, &b->code);

	if (!err)
		bare_compile(b);
	return err;
}

void bare_compile(struct bare *b)
{
	jit_free(b->jit);
	b->code->native = b->code->direct = NULL;
	b->jit = native_compile_one(&b->host, NULL, b->code);
}

u64 bare_run(struct bare *b, u64 r1, u64 r2)
{
	struct slot_ctx *slot = slot_get(&b->host), *before;
	u64 result;

	CHECK(slot != NULL);
	run_read_lock(&b->host);
	before = slot_swap(slot);
	result = code_run(b->code, r1, r2, slot);
	slot_swap(before);
	if (slot->open)
		defer_publish(slot);
	run_read_unlock(&b->host);
	return result;
}

void bare_free(struct bare *b)
{
	jit_free(b->jit);
	code_free(b->code);
	proof_free(b->proof);
	image_free(b->image);
	bare_host_free(&b->host);
	arena_free(b->arena);
	log_free(&b->log);
}

u64 run_text(const char *text, u64 r1, u64 r2)
{
	struct bare b;
	u64 result;

	bare_make(&b, text);
	if (bare_lower(&b, NULL))
		test_fail(__FILE__, __LINE__, "%s\n%s", b.log.error, text);
	result = bare_run(&b, r1, r2);
	bare_free(&b);
	return result;
}
