/* SPDX-License-Identifier: MIT
 *
 * field.c: the one life of special fields of map values (rule book F): made from the
 * record that BTF gave, copied around, exchanged, destroyed.
 *
 * Owners: a non-NULL REF slot owns one reference (F1); an UNREF slot owns none. A lock is
 * nobody's: it is never copied and never touched by destruction.
 *
 * Ordering
 *  F-A: field_xchg() and the exchange in fields_destroy() are single 8-byte sequentially
 *       consistent operations: each pointer that was stored goes to exactly one taker
 *       (F12).
 *  F-B: what was stored to an object before its exchange into a slot is visible through a
 *       load of the slot: the exchange releases, loads of slots acquire (F13).
 *  F-C: the bytes of a value move in relaxed atomic pieces, 8 bytes where alignment
 *       allows: a program that reads them meanwhile sees old or new words, never half of
 *       one.
 *
 *  F-D: the version of a value's slots (struct pintle_seq, H6) is odd while what they hold
 *       changes. seq_enter() acquires and seq_leave() releases: writers exclude each other,
 *       so that two of them do not make it look even. A reader that sees the same even
 *       version before and after has seen no exchange begin in between: the exchange comes
 *       after the store of the odd version and before that of the even one, for all see
 *       sequentially consistent operations in one order.
 *
 * Progress: fields_destroy() and copies are wait-free but for the queue of destructors, and
 * but for values with a version, where writers wait for each other.
 */
#include "run/async/async.h"
#include "run/memory/buffer.h"
#include "run/field/local.h"

#include <sched.h>

/* ------------------------------------------------------------------ making records */

static int unsupported(struct log *log, const char *what, const struct field *f,
		       const char *kind)
{
	return log_fail(log, -ENOTSUP, "%s: %s: unsupported in this version: %s", what,
			f->path ? f->path : "?", kind);
}

bool field_owns(const struct run_field *f)
{
	return f->kind == FIELD_REF || (f->kind == FIELD_PERCPU && f->local) ||
	       f->kind == FIELD_LIST_HEAD || f->kind == FIELD_RB_ROOT;
}

static int make_local(struct log *log, struct pintle_host *host, const struct field *f,
		      struct fields *fields, struct run_field *out)
{
	TRY(local_type_get(log, host, f->btf, f->type, &out->local));
	out->node_off = f->node_off;
	if (!fields->locals) { /* it holds the sets of types that it shares */
		fields->locals = local_types_of(host, f->btf);
		local_types_get(fields->locals);
	}
	return 0;
}

static int make_ref(struct log *log, struct pintle_host *host, const char *what,
		    const struct field *f, struct run_field *out)
{
	out->storable = storable_find(host, f->btf, f->type);
	if (!out->storable)
		return log_fail(log, -ENOENT,
				"%s: %s: the field's type is not storable in this host: "
				"register it with pintle_storable()",
				what, f->path ? f->path : "?");
	return 0;
}

static int make_field(struct log *log, struct pintle_host *host, const char *what,
		      const struct field *f, struct fields *fields, struct run_field *out)
{
	*out = (struct run_field){.kind = f->kind, .off = f->off, .size = f->size,
				  .path = f->path ? strdup(f->path) : NULL};
	if (f->btf && !f->local) {
		out->btf = f->btf;
		out->type = f->type;
	}
	out->alien = f->local && f->kind != FIELD_REF && f->kind != FIELD_PERCPU;
	switch (f->kind) {
	case FIELD_UNREF:
	case FIELD_USER:
	case FIELD_LIST_NODE:
	case FIELD_RB_NODE:
	case FIELD_REFCOUNT:
		return 0;
	case FIELD_TIMER:
	case FIELD_WQ:
		fields->async = true;
		return 0;
	case FIELD_LOCK:
		fields->lock_off = (s32)f->off;
		return 0;
	case FIELD_SEQ:
		fields->seq_off = (s32)f->off;
		return 0;
	case FIELD_REF:
		return f->local ? make_local(log, host, f, fields, out)
				: make_ref(log, host, what, f, out);
	case FIELD_PERCPU:
		return f->local ? make_local(log, host, f, fields, out) : 0;
	case FIELD_LIST_HEAD:
	case FIELD_RB_ROOT:
		return make_local(log, host, f, fields, out);
	case FIELD_UPTR:
		return btf_size(f->btf, f->type, &out->pointee_size) ? 0 : -EINVAL;
	default:
		return unsupported(log, what, f, "field of an unknown kind");
	}
}

int fields_create(struct log *log, struct pintle_host *host, const char *what,
		  const struct record *rec, struct fields **out)
{
	struct fields *fields;
	int err;

	*out = NULL;
	if (!rec || !rec->n)
		return 0;
	fields = calloc(1, sizeof(*fields) + rec->n * sizeof(fields->at[0]));
	if (!fields)
		return log_fail(log, -ENOMEM, "%s: out of memory", what);
	fields->lock_off = fields->seq_off = -1;
	for (u32 i = 0; i < rec->n; i++) {
		fields->n++;
		err = make_field(log, host, what, &rec->fields[i], fields, &fields->at[i]);
		if (err) {
			fields_free(fields);
			return err;
		}
	}
	*out = fields;
	return 0;
}

void fields_free(struct fields *fields)
{
	for (u32 i = 0; fields && i < fields->n; i++)
		free(fields->at[i].path);
	if (fields)
		local_types_put(fields->locals);
	free(fields);
}

void fields_forget_set(struct fields *fields)
{
	local_types_put(fields->locals);
	fields->locals = NULL;
}

s32 fields_lock_off(const struct fields *fields)
{
	return fields ? fields->lock_off : -1;
}

/* ----------------------------------------------------------------- taking and putting */

void *field_xchg(void *slot, void *new_ptr)
{
	/* seq_cst: F-A; its release half pairs with acquiring loads of slots (F-B) */
	return __atomic_exchange_n((void **)slot, new_ptr, __ATOMIC_SEQ_CST);
}

enum { SEQ_SPINS = 64 };

void seq_enter(u64 *version)
{
	u64 v = __atomic_load_n(version, __ATOMIC_RELAXED);

	for (u32 spins = 0;; v = __atomic_load_n(version, __ATOMIC_RELAXED)) {
		/* F-D: pairs with seq_leave() of the writer before, and with readers */
		if (!(v & 1) && __atomic_compare_exchange_n(version, &v, v + 1, false,
							    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return;
		if (++spins % SEQ_SPINS == 0)
			sched_yield(); /* its holder may have been descheduled */
	}
}

void seq_leave(u64 *version)
{
	__atomic_fetch_add(version, 1, __ATOMIC_SEQ_CST); /* F-D */
}

/*
 * Every class goes through the queue: it runs destructors with no lock held. RCU_NONE asks
 * for no grace period (J22), but gets it: it is what keeps an object there while a
 * PINTLE_KPTR_GET function raises its count from a field (C9). The count is of destructors
 * queued, hence exact once pintle_drain() has returned.
 */
void storable_destroy(struct pintle_host *host, struct storable *storable, void *obj)
{
	atomic_fetch_add_explicit(&storable->destructed, 1, memory_order_relaxed);
	defer_call(host, storable->dtor, obj);
}

/* J9: whoever sees it in its read section may go on, whatever the host does with the
 * reference that it is about to get. */
void storable_keep(void *of, const void *storable, u64 object)
{
	struct storable *s = (struct storable *)(uintptr_t)storable;

	s->get((void *)(uintptr_t)object);
	storable_destroy(((struct slot_ctx *)of)->host, s, (void *)(uintptr_t)object);
}

/* What was in a slot, emptied; NULL. An empty slot costs a load, not an exchange: nobody is
 * owed what is stored after the load, for that is a later exchange, in F12's order. */
static void *slot_take(void *slot)
{
	return __atomic_load_n((void **)slot, __ATOMIC_RELAXED) ? field_xchg(slot, NULL) : NULL;
}

static void ref_destroy(struct pintle_host *host, const struct run_field *f, void *slot,
			struct obj **dying)
{
	void *obj = slot_take(slot);

	if (!obj)
		return;
	if (f->local)
		dying_add(dying, obj);
	else
		storable_destroy(host, f->storable, obj);
}

static void percpu_destroy(const struct run_field *f, void *slot)
{
	void *handle;

	if (!f->local) { /* a variable of the host: owned by nobody here */
		__atomic_store_n((void **)slot, NULL, __ATOMIC_RELAXED);
		return;
	}
	/* Never a store: what a program exchanges in meanwhile would be lost. */
	handle = slot_take(slot);
	if (handle)
		percpu_drop(f->local, handle);
}

static void slot_destroy(struct pintle_host *host, const struct run_field *f, void *slot,
			 struct obj **dying)
{
	void *obj;

	switch (f->kind) {
	case FIELD_REF:
		ref_destroy(host, f, slot, dying);
		break;
	case FIELD_PERCPU:
		percpu_destroy(f, slot);
		break;
	case FIELD_UPTR:
		obj = slot_take(slot);
		if (obj)
			buffer_unpin(host, obj);
		break;
	case FIELD_UNREF:
	case FIELD_USER:
		__atomic_store_n((void **)slot, NULL, __ATOMIC_RELAXED);
		break;
	default:
		break;
	}
}

static bool is_root(const struct run_field *f)
{
	return f->kind == FIELD_LIST_HEAD || f->kind == FIELD_RB_ROOT;
}

static void slots_destroy(struct pintle_host *host, const struct fields *fields, char *value,
			  struct obj **dying)
{
	u64 *version = (u64 *)(value + (fields->seq_off >= 0 ? fields->seq_off : 0));

	if (fields->seq_off >= 0)
		seq_enter(version);
	for (u32 i = 0; i < fields->n; i++)
		slot_destroy(host, &fields->at[i], value + fields->at[i].off, dying);
	if (fields->seq_off >= 0)
		seq_leave(version);
}

static void asyncs_drop(struct pintle_host *host, const struct fields *fields, char *value,
			bool dead)
{
	for (u32 i = 0; fields && fields->async && i < fields->n; i++) {
		const struct run_field *f = &fields->at[i];

		if (f->kind == FIELD_TIMER || f->kind == FIELD_WQ)
			async_drop(host, value + f->off, dead);
	}
}

/* Roots after slots: a program that holds the lock may be about to exchange a slot. */
void fields_destroy_into(struct pintle_host *host, const struct fields *fields, void *value,
			 struct obj **dying)
{
	char *at = value;
	u32 *lock = NULL;

	if (!fields)
		return;
	if (fields->lock_off >= 0)
		lock = (u32 *)(at + fields->lock_off);
	slots_destroy(host, fields, at, dying);
	for (u32 i = 0; i < fields->n; i++)
		if (is_root(&fields->at[i]))
			graph_destroy(&fields->at[i], at + fields->at[i].off, lock, dying);
}

static void destroy(struct pintle_host *host, const struct fields *fields, void *value,
		    bool dead)
{
	struct obj *dying = NULL;

	asyncs_drop(host, fields, value, dead);
	fields_destroy_into(host, fields, value, &dying);
	dying_destroy(dying);
}

void fields_destroy(struct pintle_host *host, const struct fields *fields, void *value)
{
	destroy(host, fields, value, false);
}

void fields_retire(struct pintle_host *host, const struct fields *fields, void *value)
{
	destroy(host, fields, value, true);
}

void fields_init(const struct fields *fields, void *value)
{
	for (u32 i = 0; fields && i < fields->n; i++)
		memset((char *)value + fields->at[i].off, 0, fields->at[i].size);
}

/* ------------------------------------------------------------------ copying */

/* The largest power of two, at most 8, that divides @at and fits in @size. */
static u32 piece(const void *at, u32 size)
{
	u32 n = 8;

	while (n > size || (uintptr_t)at % n)
		n /= 2;
	return n;
}

/* One piece of a caller's buffer (any alignment) into a value: F-C. */
static void store_piece(void *to, const void *from, u32 n)
{
	union { u8 b; u16 h; u32 w; u64 d; } v;

	memcpy(&v, from, n);
	switch (n) {
	case 8: __atomic_store_n((u64 *)to, v.d, __ATOMIC_RELAXED); break;
	case 4: __atomic_store_n((u32 *)to, v.w, __ATOMIC_RELAXED); break;
	case 2: __atomic_store_n((u16 *)to, v.h, __ATOMIC_RELAXED); break;
	default: __atomic_store_n((u8 *)to, v.b, __ATOMIC_RELAXED); break;
	}
}

static void load_piece(void *to, const void *from, u32 n)
{
	union { u8 b; u16 h; u32 w; u64 d; } v;

	switch (n) {
	case 8: v.d = __atomic_load_n((const u64 *)from, __ATOMIC_RELAXED); break;
	case 4: v.w = __atomic_load_n((const u32 *)from, __ATOMIC_RELAXED); break;
	case 2: v.h = __atomic_load_n((const u16 *)from, __ATOMIC_RELAXED); break;
	default: v.b = __atomic_load_n((const u8 *)from, __ATOMIC_RELAXED); break;
	}
	memcpy(to, &v, n);
}

/* Values are at multiples of 8 and mostly of whole words: these go without much ado. */
static void copy_in(char *to, const char *from, u32 size)
{
	for (; size >= 8 && (uintptr_t)to % 8 == 0; to += 8, from += 8, size -= 8)
		store_piece(to, from, 8);
	for (u32 n; size; to += n, from += n, size -= n) {
		n = piece(to, size);
		store_piece(to, from, n);
	}
}

static void copy_out(char *to, const char *from, u32 size)
{
	for (; size >= 8 && (uintptr_t)from % 8 == 0; to += 8, from += 8, size -= 8)
		load_piece(to, from, 8);
	for (u32 n; size; to += n, from += n, size -= n) {
		n = piece(from, size);
		load_piece(to, from, n);
	}
}

void fields_copy_in(const struct fields *fields, void *value, const void *from, u32 size)
{
	u32 at = 0;

	for (u32 i = 0; fields && i < fields->n; i++) {
		const struct run_field *f = &fields->at[i];

		copy_in((char *)value + at, (const char *)from + at, f->off - at);
		at = f->off + f->size;
	}
	copy_in((char *)value + at, (const char *)from + at, size - at);
}

void fields_copy_out(const struct fields *fields, void *to, const void *value, u32 size)
{
	u32 at = 0;

	for (u32 i = 0; fields && i < fields->n; i++) {
		const struct run_field *f = &fields->at[i];

		copy_out((char *)to + at, (const char *)value + at, f->off - at);
		memset((char *)to + f->off, 0, f->size);
		at = f->off + f->size;
	}
	copy_out((char *)to + at, (const char *)value + at, size - at);
}
