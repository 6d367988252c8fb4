/* SPDX-License-Identifier: MIT
 *
 * stress_host.c: see stress_host.h. On the public API only.
 */
#include "run/stress_host.h"

#include "test.h"

#include <time.h>

#define EXPORTED __attribute__((noinline, used))

PINTLE_HOOK(int, stress_p, int, n)
PINTLE_HOOK(int, stress_q, int, n)
PINTLE_HOOK(int, stress_object, struct item *, item)
PINTLE_HOOK(int, stress_calls, int, n)
PINTLE_HOOK(int, stress_link, int, n)
PINTLE_HOOK(int, stress_signal, int, n)
PINTLE_OPS(stress_ops)

struct stress_counts stress_counts;
static struct pintle_host *current;

#define ADD(what, n) __atomic_add_fetch(&stress_counts.what, n, __ATOMIC_RELAXED)

int stress_hook_p(int n)
{
	return stress_p(n);
}

int stress_hook_q(int n)
{
	return stress_q(n);
}

int stress_hook_object(struct item *item)
{
	return stress_object(item);
}

int stress_hook_calls(int n)
{
	return stress_calls(n);
}

int stress_hook_link(int n)
{
	return stress_link(n);
}

int stress_hook_signal(int n)
{
	return stress_signal(n);
}

struct pintle_hook *const stress_link_hook = &stress_link_pintle_hook;

const struct stress_ops *stress_table_current(void)
{
	return stress_ops_current();
}

const struct stress_ops *stress_table_get(void)
{
	return stress_ops_get();
}

/* The name of its parameter says whose the reference is. */
EXPORTED struct item *stress_ops__swap(struct item *item__ref);
EXPORTED struct item *stress_ops__swap(struct item *item__ref)
{
	return item__ref;
}

EXPORTED void stress_did(int op)
{
	if (op >= 0 && op < STRESS_NOPS)
		ADD(ops[op], 1);
}

EXPORTED void stress_bad(int op)
{
	ADD(dead, 1);
	__atomic_store_n(&stress_counts.last_bad, op + 1, __ATOMIC_RELAXED);
}

/* ------------------------------------------------------------------ objects */

enum { KEPT = 2048 };

static struct {
	pthread_mutex_t lock;
	u32 next;
	struct item *at[KEPT];
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* All three classes begin alike. */
static struct item *object_new(int key)
{
	struct item *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->twin = ~(unsigned int)STRESS_MAGIC;
	p->refs = 1;
	p->key = key;
	/* release: pairs with look(). Native code is what hands it on: ThreadSanitizer sees
	 * nothing of that. */
	__atomic_store_n(&p->magic, STRESS_MAGIC, __ATOMIC_RELEASE);
	ADD(made, 1);
	ADD(live, 1);
	return p;
}

/* The first to be done with any object. */
static int look(const struct item *p, int where)
{
	/* acquire: pairs with object_new() */
	if (__atomic_load_n(&p->magic, __ATOMIC_ACQUIRE) != STRESS_MAGIC || p->twin != ~(unsigned int)STRESS_MAGIC)
		stress_bad(where);
	return p->key;
}

/* Nobody should look any more: poisons it, and frees what was kept longest. */
static void object_end(struct item *p)
{
	struct item *oldest;

	look(p, STRESS_NOPS);
	p->magic = p->twin = STRESS_POISON;
	p->key = -1;
	ADD(live, -1);
	pthread_mutex_lock(&kept.lock);
	oldest = kept.at[kept.next];
	kept.at[kept.next] = p;
	kept.next = (kept.next + 1) % KEPT;
	pthread_mutex_unlock(&kept.lock);
	free(oldest);
}

void stress_host_flush(void)
{
	for (u32 i = 0; i < KEPT; i++) {
		free(kept.at[i]);
		kept.at[i] = NULL;
	}
}

static struct item *get_unless_zero(struct item *p)
{
	int refs;

	look(p, STRESS_NOPS + 1);
	refs = __atomic_load_n(&p->refs, __ATOMIC_RELAXED);
	do {
		if (refs <= 0)
			return NULL;
	} while (!__atomic_compare_exchange_n(&p->refs, &refs, refs + 1, false,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return p;
}

static bool last_put(struct item *p)
{
	int refs;

	look(p, STRESS_NOPS + 2);
	refs = __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL);
	if (refs < 0)
		ADD(twice, 1);
	return !refs;
}

EXPORTED struct item *item_new(int key)
{
	return object_new(key);
}

EXPORTED struct item *item_get(struct item *item)
{
	return get_unless_zero(item);
}

EXPORTED struct item *item_kget(struct item **slot)
{
	struct item *item = __atomic_load_n(slot, __ATOMIC_ACQUIRE);

	return item ? get_unless_zero(item) : NULL;
}

EXPORTED int item_look(struct item *item)
{
	return look(item, STRESS_NOPS + 3);
}

EXPORTED void item_put(struct item *item)
{
	if (last_put(item))
		object_end(item);
}

static void nat_end(void *nat)
{
	object_end(nat);
}

EXPORTED struct nat *nat_new(int key)
{
	return (struct nat *)object_new(key);
}

EXPORTED struct nat *nat_get(struct nat *nat)
{
	return (struct nat *)get_unless_zero((struct item *)nat);
}

EXPORTED void nat_put(struct nat *nat)
{
	if (last_put((struct item *)nat))
		pintle_defer(current, nat_end, nat);
}

EXPORTED struct bare *bare_new(int key)
{
	return (struct bare *)object_new(key);
}

EXPORTED int bare_look(struct bare *bare)
{
	return look((struct item *)bare, STRESS_NOPS + 4);
}

EXPORTED void bare_put(struct bare *bare)
{
	if (last_put((struct item *)bare))
		object_end((struct item *)bare);
}

EXPORTED int stress_nap(int us)
{
	struct timespec t = {.tv_nsec = (us & 63) * 1000};

	return nanosleep(&t, NULL);
}

static void drop_item(void *obj)
{
	item_put(obj);
}

static void drop_nat(void *obj)
{
	nat_put(obj);
}

static void drop_bare(void *obj)
{
	bare_put(obj);
}

/* ------------------------------------------------------------------ the host */

static int export_all(struct pintle_host *host)
{
	TRY(pintle_export(host, stress_did, PINTLE_SIGNAL_SAFE));
	TRY(pintle_export(host, stress_bad, PINTLE_SIGNAL_SAFE));
	TRY(pintle_export(host, item_new, PINTLE_ACQUIRE | PINTLE_RET_NULL));
	TRY(pintle_export(host, item_get, PINTLE_ACQUIRE | PINTLE_RCU | PINTLE_RET_NULL));
	TRY(pintle_export(host, item_kget,
			  PINTLE_ACQUIRE | PINTLE_RET_NULL | PINTLE_KPTR_GET));
	TRY(pintle_export(host, item_look, PINTLE_RCU | PINTLE_SIGNAL_SAFE));
	TRY(pintle_export(host, item_put, PINTLE_RELEASE));
	TRY(pintle_export(host, nat_new, PINTLE_ACQUIRE | PINTLE_RET_NULL));
	TRY(pintle_export(host, nat_get, PINTLE_ACQUIRE | PINTLE_RCU | PINTLE_RET_NULL));
	TRY(pintle_export(host, nat_put, PINTLE_RELEASE));
	TRY(pintle_export(host, bare_new, PINTLE_ACQUIRE | PINTLE_RET_NULL));
	TRY(pintle_export(host, bare_look, 0));
	TRY(pintle_export(host, bare_put, PINTLE_RELEASE));
	return pintle_export(host, stress_nap, PINTLE_SLEEPABLE);
}

static u32 item_length(const void *item)
{
	return sizeof(struct item);
}

static int item_read(const void *item, u32 off, void *to, u32 len)
{
	look(item, STRESS_NOPS + 5);
	memcpy(to, (const char *)item + off, len);
	return 0;
}

static const struct pintle_dynptr_source item_source = {
	.size = sizeof(item_source), .length = item_length, .read = item_read};

static int add_places(struct pintle_host *host)
{
	TRY(pintle_hook_add(host, stress_p));
	TRY(pintle_hook_add(host, stress_q, .sleepable = true));
	TRY(pintle_hook_add(host, stress_object));
	TRY(pintle_hook_add(host, stress_calls));
	TRY(pintle_hook_add(host, stress_link, .results = PINTLE_RESULT_UNTIL_NONZERO));
	TRY(pintle_hook_add(host, stress_signal, .in_signals = true));
	return pintle_ops_add(host, stress_ops, .sleepable = "nap");
}

static int host_fill(struct pintle_host *host)
{
	TRY(pintle_host_add_self(host));
	TRY(export_all(host));
	TRY(pintle_storable(host, "item", .dtor = drop_item, .rcu = PINTLE_DEFERRED_PUT));
	TRY(pintle_storable(host, "nat", .dtor = drop_nat, .rcu = PINTLE_RCU_NATIVE));
	TRY(pintle_storable(host, "bare", .dtor = drop_bare, .rcu = PINTLE_RCU_NONE));
	TRY(pintle_dynptr_source_add(host, "item_bytes", "item", &item_source));
	return add_places(host);
}

struct pintle_host *stress_host_new(const struct pintle_host_opts *opts)
{
	struct pintle_host_opts o = {.size = sizeof(o)};
	struct pintle_host *host;

	if (opts)
		o = *opts;
#ifdef TEST_TSAN
	o.jit = PINTLE_JIT_OFF; /* of native code's exchanges it sees nothing */
#endif
	host = pintle_host_new(&o);
	if (host && host_fill(host)) {
		fprintf(stderr, "%s\n", pintle_host_error(host));
		pintle_host_free(host);
		host = NULL;
	}
	current = host;
	return host;
}

void stress_host_reset(void)
{
	stress_host_flush();
	memset(&stress_counts, 0, sizeof(stress_counts));
}
