/* SPDX-License-Identifier: MIT
 *
 * dynptr.c: what can be done with a dynptr, and the sources of hosts: objects whose bytes
 * lie anywhere (the fragments of a packet), which callbacks read and write.
 *
 * A dynptr of a source keeps the object's address, the number of its source and a size
 * that was true when it was made. The verifier lets it live no longer than the object; that
 * its bytes become fewer meanwhile is for the callbacks to notice.
 */
#include "run/helper/dynptr.h"
#include "run/run.h"

enum { CHUNK = 256 };

static const struct pintle_dynptr_source *source_of(const struct dynptr *d)
{
	return &slot_current()->host->dynptr_sources.v[dynptr_source(d) - 1].ops;
}

static int source_read(const struct dynptr *d, u64 off, void *to, u64 len)
{
	return source_of(d)->read(d->data, dynptr_off(d) + (u32)off, to, (u32)len);
}

static int source_write(const struct dynptr *d, u64 off, const void *from, u64 len)
{
	return source_of(d)->write(d->data, dynptr_off(d) + (u32)off, from, (u32)len);
}

int dynptr_read(const struct dynptr *d, u64 off, void *to, u64 len)
{
	if (!d->data)
		return -EINVAL;
	if (!dynptr_has(d, off, len))
		return -E2BIG;
	if (dynptr_source(d))
		return len ? source_read(d, off, to, len) : 0;
	memmove(to, dynptr_at(d, off, len), len);
	return 0;
}

int dynptr_write(const struct dynptr *d, u64 off, const void *from, u64 len)
{
	if (!dynptr_writable(d))
		return -EINVAL;
	if (!dynptr_has(d, off, len))
		return -E2BIG;
	if (dynptr_source(d))
		return len ? source_write(d, off, from, len) : 0;
	memmove(dynptr_at(d, off, len), from, len);
	return 0;
}

/* ------------------------------------------------------------------ for programs */

/* Only [start, end) of it is left. */
s64 dynptr_adjust(struct dynptr *d, u64 start, u64 end)
{
	if (!d->data || start > end)
		return -EINVAL;
	if (end > dynptr_size(d))
		return -ERANGE;
	d->off += (u32)start;
	d->size = (u32)(end - start) | (d->size & (u32)DYNPTR_RDONLY);
	return 0;
}

u64 dynptr_is_null(const struct dynptr *d)
{
	return !d->data;
}

u64 dynptr_is_rdonly(const struct dynptr *d)
{
	return d->data && !dynptr_writable(d);
}

s64 dynptr_get_size(const struct dynptr *d)
{
	return d->data ? dynptr_size(d) : -EINVAL;
}

s64 dynptr_clone(const struct dynptr *d, struct dynptr *to)
{
	*to = *d;
	return d->data ? 0 : -EINVAL;
}

/* Piece by piece, through a buffer; from behind where they may overlap. */
static int copy_pieces(const struct dynptr *to, u64 to_off, const struct dynptr *from,
		       u64 from_off, u64 len)
{
	bool backwards = to->data == from->data &&
			 dynptr_off(to) + to_off > dynptr_off(from) + from_off;
	char piece[CHUNK];
	int err = 0;

	for (u64 done = 0; !err && done < len;) {
		u64 n = len - done < CHUNK ? len - done : CHUNK;
		u64 at = backwards ? len - done - n : done;

		err = dynptr_read(from, from_off + at, piece, n);
		if (!err)
			err = dynptr_write(to, to_off + at, piece, n);
		done += n;
	}
	return err;
}

s64 dynptr_copy(struct dynptr *to, u64 to_off, const struct dynptr *from, u64 from_off, u64 len)
{
	const char *at;

	if (!dynptr_writable(to) || !from->data)
		return -EINVAL;
	if (!dynptr_has(to, to_off, len) || !dynptr_has(from, from_off, len))
		return -E2BIG;
	at = dynptr_at(from, from_off, len);
	return at ? dynptr_write(to, to_off, at, len)
		  : copy_pieces(to, to_off, from, from_off, len);
}

s64 dynptr_memset(struct dynptr *d, u64 off, u64 len, u64 byte)
{
	char piece[CHUNK];
	char *at;
	int err = 0;

	if (!dynptr_writable(d))
		return -EINVAL;
	if (!dynptr_has(d, off, len))
		return -E2BIG;
	at = dynptr_at(d, off, len);
	if (at) {
		memset(at, (u8)byte, len);
		return 0;
	}
	memset(piece, (u8)byte, sizeof(piece));
	for (u64 done = 0, n; !err && done < len; done += n) {
		n = len - done < CHUNK ? len - done : CHUNK;
		err = dynptr_write(d, off + done, piece, n);
	}
	return err;
}

/* @len bytes at @off: where they are, or, where they are not in a row, a copy in @buffer. */
static void *slice(const struct dynptr *d, u64 off, void *buffer, u64 len)
{
	const struct pintle_dynptr_source *source;
	void *at;

	if (!dynptr_source(d))
		return dynptr_at(d, off, len);
	source = source_of(d);
	at = source->slice ? source->slice(d->data, dynptr_off(d) + (u32)off, (u32)len) : NULL;
	if (at || !buffer)
		return at;
	return dynptr_read(d, off, buffer, len) ? NULL : buffer;
}

void *dynptr_part(const struct dynptr *d, u64 off, void *buffer, u64 len)
{
	return dynptr_has(d, off, len) ? slice(d, off, buffer, len) : NULL;
}

void *dynptr_part_rdwr(const struct dynptr *d, u64 off, void *buffer, u64 len)
{
	return dynptr_writable(d) ? dynptr_part(d, off, buffer, len) : NULL;
}

/* ------------------------------------------------------------------ sources of hosts */

/* The function under which programs know source @source; 0, -EINVAL, -E2BIG, and then a
 * dynptr of nothing. */
s64 dynptr_from_source(void *object, u64 flags, struct dynptr *d, u64 source)
{
	const struct pintle_dynptr_source *ops =
		&slot_current()->host->dynptr_sources.v[source - 1].ops;
	u32 size;

	*d = (struct dynptr){0};
	if (flags)
		return -EINVAL;
	size = ops->length(object);
	if (size > DYNPTR_MAX)
		return -E2BIG;
	*d = (struct dynptr){object, size | (ops->write ? 0 : (u32)DYNPTR_RDONLY),
			     (u32)source << DYNPTR_SOURCE_SHIFT};
	return 0;
}

static int check_source(struct pintle_host *host, const char *name,
			const struct pintle_dynptr_source *ops)
{
	if (!ops->length || !ops->read)
		return host_fail(host, -EINVAL, "dynptr source %s: no %s callback", name,
				 ops->length ? "read" : "length");
	if (host->objects)
		return host_fail(host, -EBUSY, "dynptr source %s: objects are open", name);
	if (abi_find_kfunc(&host->abi, name))
		return host_fail(host, -EEXIST, "%s is exported already", name);
	if (host->dynptr_sources.n == MAX_DYNPTR_SOURCES)
		return host_fail(host, -E2BIG, "more than %d dynptr sources",
				 MAX_DYNPTR_SOURCES);
	return 0;
}

/* What programs hand over: a struct of the host, or a context. */
static int find_object(struct pintle_host *host, const char *name, const char *object,
		       struct abi_kfunc *row)
{
	int type = prog_type_find(host, object);

	row->prog_types = ~0ull;
	if (type >= 0 && host->abi.prog_types.v[type].kind == PROG_CTX) {
		row->prog_types = BIT64(type);
		return 0;
	}
	if (!abi_find_struct(&host->abi, object, &row->of_btf, &row->of_type))
		return host_fail(host, -ENOENT,
				 "dynptr source %s: '%s' is neither a struct of the host's BTF "
				 "nor a program type with a context", name, object);
	return 0;
}

int pintle_dynptr_source_add(struct pintle_host *host, const char *name, const char *object,
			     const struct pintle_dynptr_source *source)
{
	struct abi_kfunc row = {.special = KS_DYNPTR_FROM_SOURCE};
	struct dynptr_source new = {0};

	if (!name || !object || !source)
		return host_fail(host, -EINVAL, "dynptr source: a name, an object and "
				 "callbacks needed");
	opts_copy(&new.ops, sizeof(new.ops), source, source->size);
	TRY(check_source(host, name, &new.ops));
	TRY(find_object(host, name, object, &row));
	row.name = host_strdup(host, name);
	if (!row.name || !vec_push(&host->dynptr_sources, new))
		return host_oom(host);
	row.source = host->dynptr_sources.n;
	if (!export_row(host, &row, (void (*)(void))dynptr_from_source))
		return 0;
	host->dynptr_sources.n--;
	return host_oom(host);
}

/* ------------------------------------------------------------------ for functions of hosts */

static const struct dynptr *own(const struct bpf_dynptr *d)
{
	return (const struct dynptr *)(const void *)d;
}

int64_t pintle_dynptr_size(const struct bpf_dynptr *d)
{
	return dynptr_get_size(own(d));
}

int pintle_dynptr_read(const struct bpf_dynptr *d, uint32_t off, void *to, uint32_t len)
{
	return dynptr_read(own(d), off, to, len);
}

int pintle_dynptr_write(const struct bpf_dynptr *d, uint32_t off, const void *from, uint32_t len)
{
	return dynptr_write(own(d), off, from, len);
}

void *pintle_dynptr_data(const struct bpf_dynptr *d, uint32_t off, uint32_t len, bool write)
{
	if (write && !dynptr_writable(own(d)))
		return NULL;
	return dynptr_part(own(d), off, NULL, len);
}
