/* SPDX-License-Identifier: MIT
 *
 * verify_fixture.c: see verify_fixture.h. Each case is verified as it is, with pruning
 * switched off now and then, with a full log and with a state stored wherever one may be:
 * the verdict is the same.
 */
#include "verify_fixture.h"

#include "base/arena.h"
#include "base/log.h"

#define FIELD(n, at, k) {.name = n, .off = at, .size = 4, .real_off = at, .real_size = 4, .reads = 4, .kind = k}

static struct abi_ctx_field fields[] = {
	FIELD("data", 0, CTX_PACKET),	   FIELD("data_end", 4, CTX_PACKET_END),
	FIELD("data_meta", 8, CTX_PACKET_META), FIELD("ingress_ifindex", 12, CTX_SCALAR),
	FIELD("rx_queue_index", 16, CTX_SCALAR),
};

static struct abi_prog_type xdp = {
	.name = "xdp", .section = "xdp", .kind = PROG_CTX, .ctx_name = "xdp_md", .ctx_size = 20,
	.fields = fields, .nfields = ARRAY_SIZE(fields), .packet_writable = true, .ld_abs = true,
};

static struct abi abi;

static struct image_map maps[] = {
	{.name = "array", .type = MAP_ARRAY, .key_size = 4, .value_size = 48,
	 .max_entries = 16, .inner = -1},
	{.name = "hash", .type = MAP_HASH, .key_size = 8, .value_size = 16,
	 .max_entries = 16, .inner = -1},
	{.name = "progs", .type = MAP_PROG_ARRAY, .key_size = 4, .value_size = 4,
	 .max_entries = 4, .inner = -1},
};

static void begin(struct verified *v, const struct verify_opts *opts)
{
	memset(v, 0, sizeof(*v));
	v->arena = arena_new();
	CHECK(v->arena != NULL);
	if (opts)
		v->log.level = opts->log_level;
}

static void prove(struct verified *v, const struct insn *insns, u32 n,
		  const struct verify_opts *opts)
{
	CHECK_EQ(image_from_insns(&v->log, &abi, "prog", &xdp, insns, n, &v->image), 0);
	v->image->maps = maps;
	v->image->nmaps = ARRAY_SIZE(maps);
	v->err = verify(v->arena, &v->log, v->image, &v->image->progs[0], opts, &v->proof,
			&v->why, &v->stats);
}

void verify_insns(struct verified *v, const struct insn *insns, u32 n,
		  const struct verify_opts *opts)
{
	begin(v, opts);
	prove(v, insns, n, opts);
}

void verify_text(struct verified *v, const char *text, const struct verify_opts *opts)
{
	struct insn *insns;
	u32 n;

	begin(v, opts);
	if (isa_assemble(v->arena, &v->log, text, &insns, &n))
		test_fail(__FILE__, __LINE__, "%s\n%s", log_text(&v->log), text);
	prove(v, insns, n, opts);
}

void verify_done(struct verified *v)
{
	proof_free(v->proof);
	image_free(v->image);
	arena_free(v->arena);
	log_free(&v->log);
}

static void check_case(const struct verify_case *c, const struct verify_opts *opts)
{
	struct verified v;

	verify_text(&v, c->text, opts);
	if (!c->want && v.err)
		test_fail(__FILE__, __LINE__, "%s: refused (%d):\n%s", c->name, v.err,
			  log_text(&v.log));
	if (c->want && !v.err)
		test_fail(__FILE__, __LINE__, "%s: accepted, want \"%s\"", c->name, c->want);
	if (c->want && !strstr(log_text(&v.log), c->want))
		test_fail(__FILE__, __LINE__, "%s: no \"%s\" in:\n%s", c->name, c->want,
			  log_text(&v.log));
	if (c->want) {
		CHECK(v.why.rule != RULE_NONE);
		CHECK(v.why.explanation != NULL);
	}
	CHECK_EQ(v.proof != NULL, !v.err);
	verify_done(&v);
}

void verify_cases(const struct verify_case *cases, u32 n)
{
	static const struct verify_opts plain, random = {.test_prune_random = true},
						loud = {.log_level = LOG_STATE},
						often = {.test_state_freq = true};

	for (u32 i = 0; i < n; i++) {
		check_case(&cases[i], &plain);
		check_case(&cases[i], &random);
		check_case(&cases[i], &loud);
		check_case(&cases[i], &often);
	}
}
