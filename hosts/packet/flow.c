/* SPDX-License-Identifier: MIT
 *
 * flow.c: flows, counted, and the engine's table of them. The table holds one reference
 * to each flow and lets it go when the flow was idle for FLOW_IDLE; a program that keeps
 * a reference in a map keeps the flow alive beyond that.
 *
 * Programs read flows from fields of maps inside a read section; the library postpones
 * its own puts past it (PINTLE_DEFERRED_PUT), so what they read is alive or, when it is
 * about to go, still there: flow_get() gives NULL then.
 */
#include "engine.h"

#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FLOW_IDLE (10 * 1000000000ull)
#define SWEEP_EVERY 1000000000ull
enum { NR_CHAINS = 1 << 14, MAX_FLOWS = 1 << 18 };

/* Not inlined and kept: its prototype in BTF is its interface. */
#define KFUNC __attribute__((noinline, used))

/* ---- the table ---- */

int flow_table_init(struct flow_table *table)
{
	table->nchains = NR_CHAINS;
	table->chains = calloc(table->nchains, sizeof(struct flow *));
	if (!table->chains)
		return complain("out of memory");
	/* So that nobody can aim packets at one chain. */
	if (getrandom(&table->seed, sizeof(table->seed), 0) != sizeof(table->seed))
		return complain("no random numbers");
	return 0;
}

static uint32_t hash(const struct flow_table *table, const struct flow_key *key)
{
	uint64_t words[sizeof(*key) / 8], h = table->seed;

	memcpy(words, key, sizeof(words));
	for (unsigned int i = 0; i < sizeof(words) / sizeof(*words); i++) {
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return (uint32_t)(h ^ h >> 32);
}

static struct flow *find(const struct flow_table *table, const struct flow_key *key,
			 uint32_t h)
{
	struct flow *flow = table->chains[h % table->nchains];

	while (flow && (flow->hash != h || memcmp(&flow->key, key, sizeof(*key))))
		flow = flow->next;
	return flow;
}

static struct flow *add(struct engine *engine, const struct flow_key *key, uint32_t h)
{
	struct flow_table *table = &engine->flows;
	struct flow **chain = &table->chains[h % table->nchains], *flow;

	if (table->count >= MAX_FLOWS || !(flow = calloc(1, sizeof(*flow))))
		return NULL;
	flow->refs = 1; /* the table's */
	flow->hash = h;
	flow->last = engine->now;
	flow->key = *key;
	flow->engine = engine;
	flow->next = *chain;
	*chain = flow;
	table->count++;
	__atomic_add_fetch(&table->tally.made, 1, __ATOMIC_RELAXED);
	return flow;
}

static void remove_from(struct flow_table *table, struct flow **at)
{
	struct flow *flow = *at;

	*at = flow->next;
	table->count--;
	flow_put(flow);
}

void flow_table_sweep(struct engine *engine)
{
	struct flow_table *table = &engine->flows;

	if (engine->now < table->next_sweep)
		return;
	table->next_sweep = engine->now + SWEEP_EVERY;
	for (uint32_t i = 0; i < table->nchains; i++)
		for (struct flow **at = &table->chains[i]; *at;)
			if ((*at)->last + FLOW_IDLE < engine->now)
				remove_from(table, at);
			else
				at = &(*at)->next;
}

void flow_table_free(struct flow_table *table)
{
	for (uint32_t i = 0; table->chains && i < table->nchains; i++)
		while (table->chains[i])
			remove_from(table, &table->chains[i]);
	free(table->chains);
	table->chains = NULL;
}

/* ---- exported to programs ---- */

static void note_user(struct flow *flow, struct program *program)
{
	program->flows += !(flow->users & program->bit);
	flow->users |= program->bit;
}

KFUNC struct flow *flow_lookup(struct xdp_md *ctx, struct flow_key *key)
{
	struct xdp_run *run = (struct xdp_run *)ctx;
	uint32_t h = hash(&run->engine->flows, key);
	struct flow *flow = find(&run->engine->flows, key, h);

	run->looked_up = true;
	run->program->lookups++;
	if (!flow)
		flow = add(run->engine, key, h);
	if (!flow)
		return NULL;
	note_user(flow, run->program);
	__atomic_add_fetch(&flow->refs, 1, __ATOMIC_RELAXED);
	return flow;
}

KFUNC struct flow *flow_get(struct flow *flow)
{
	int refs = __atomic_load_n(&flow->refs, __ATOMIC_RELAXED);

	do {
		if (!refs)
			return NULL;
	} while (!__atomic_compare_exchange_n(&flow->refs, &refs, refs + 1, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return flow;
}

KFUNC void flow_put(struct flow *flow)
{
	struct engine *engine = flow->engine;

	if (__atomic_sub_fetch(&flow->refs, 1, __ATOMIC_ACQ_REL))
		return;
	free(flow);
	__atomic_add_fetch(&engine->flows.tally.freed, 1, __ATOMIC_RELAXED);
}

KFUNC void flow_count(struct xdp_md *ctx, struct flow *flow)
{
	struct xdp_run *run = (struct xdp_run *)ctx;

	flow->packets++;
	flow->bytes += run->frame->len;
	flow->last = run->engine->now;
	run->counted = true;
	note_user(flow, run->program);
}

static void flow_dtor(void *flow)
{
	flow_put(flow);
}

static const char *const xdp_only[] = {"xdp", NULL};

int flow_register(struct pintle_host *host)
{
	int err = pintle_export_func(
		host, "flow_lookup", (void (*)(void))flow_lookup,
		PINTLE_OPTS(pintle_func_opts, .flags = PINTLE_ACQUIRE | PINTLE_RET_NULL,
			    .prog_types = xdp_only));

	if (!err)
		err = pintle_export_func(
			host, "flow_count", (void (*)(void))flow_count,
			PINTLE_OPTS(pintle_func_opts, .flags = PINTLE_RCU,
				    .prog_types = xdp_only));
	if (!err)
		err = pintle_export(host, flow_get,
				    PINTLE_ACQUIRE | PINTLE_RET_NULL | PINTLE_RCU);
	if (!err)
		err = pintle_export(host, flow_put, PINTLE_RELEASE);
	if (!err)
		err = pintle_storable(host, "flow", .dtor = flow_dtor,
				      .rcu = PINTLE_DEFERRED_PUT);
	return err;
}
