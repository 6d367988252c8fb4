/* SPDX-License-Identifier: MIT
 *
 * xdp.c: what XDP programs see. Their struct xdp_md stands for struct xdp_run: each
 * member they may read has a row that says where it really is. Helpers that move the
 * packet's bounds behave as bpf-helpers(7) says, and keep
 *
 *	frame->start <= data_meta <= data <= data_end <= frame->end
 *
 * with the frame's own data and length always those of the context.
 *
 * bpf_ktime_get_ns() is the capture's clock, so that programs that measure time do so in
 * the time of what they see.
 */
#include "engine.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>

enum { MAX_META = 252 };

/* The run that goes on: bpf_redirect() and the clock are not given a context. */
static struct xdp_run *current;

void xdp_begin(struct xdp_run *run, struct engine *engine, struct frame *frame)
{
	*run = (struct xdp_run){
		.data = frame->data,
		.data_end = frame->data + frame->len,
		.data_meta = frame->data,
		.ifindex = engine->ifindex,
		.frame = frame,
		.engine = engine,
	};
	current = run;
}

static void set_bounds(struct xdp_run *run, uint8_t *data, uint8_t *data_end)
{
	run->data = run->frame->data = data;
	run->data_end = data_end;
	run->frame->len = (uint32_t)(data_end - data);
}

/* ---- helpers; arguments as the kernel's of that name ---- */

static long adjust_head(struct xdp_run *run, int delta)
{
	ptrdiff_t meta = run->data - run->data_meta;

	/* Metadata moves along. */
	if (delta < run->frame->start + meta - run->data ||
	    delta > run->data_end - run->data - MIN_FRAME)
		return -EINVAL;
	memmove(run->data_meta + delta, run->data_meta, (size_t)meta);
	run->data_meta += delta;
	set_bounds(run, run->data + delta, run->data_end);
	return 0;
}

static long adjust_tail(struct xdp_run *run, int delta)
{
	if (delta > run->frame->end - run->data_end ||
	    delta < run->data + MIN_FRAME - run->data_end)
		return -EINVAL;
	if (delta > 0)
		memset(run->data_end, 0, (size_t)delta);
	set_bounds(run, run->data, run->data_end + delta);
	return 0;
}

static long adjust_meta(struct xdp_run *run, int delta)
{
	ptrdiff_t meta = run->data - run->data_meta - delta;

	if (meta < 0 || meta > MAX_META || meta % 4 ||
	    meta > run->data - run->frame->start)
		return -EINVAL;
	run->data_meta = run->data - meta;
	return 0;
}

static uint64_t get_buff_len(struct xdp_run *run)
{
	return run->frame->len;
}

static bool inside(const struct xdp_run *run, uint32_t off, uint32_t len)
{
	return (uint64_t)off + len <= run->frame->len;
}

static long load_bytes(struct xdp_run *run, uint32_t off, void *to, uint32_t len)
{
	if (!inside(run, off, len))
		return -EINVAL;
	memcpy(to, run->data + off, len);
	return 0;
}

static long store_bytes(struct xdp_run *run, uint32_t off, const void *from, uint32_t len)
{
	if (!inside(run, off, len))
		return -EINVAL;
	memcpy(run->data + off, from, len);
	return 0;
}

/* There is one way out; which interface is asked for does not matter. */
static long redirect(uint32_t ifindex, uint64_t flags)
{
	if (flags)
		return XDP_ABORTED;
	current->redirected = true;
	return XDP_REDIRECT;
}

static uint64_t ktime_get_ns(void)
{
	return current->engine->now;
}

/* ---- registration ---- */

#define REAL(member)                                                                     \
	.real_off = offsetof(struct xdp_run, member),                                    \
	.real_size = sizeof(((struct xdp_run *)0)->member)

static const struct pintle_ctx_field fields[] = {
	{"data",            PINTLE_CTX_PACKET,      REAL(data)},
	{"data_end",        PINTLE_CTX_PACKET_END,  REAL(data_end)},
	{"data_meta",       PINTLE_CTX_PACKET_META, REAL(data_meta)},
	{"ingress_ifindex", PINTLE_CTX_SCALAR,      REAL(ifindex)},
	{"rx_queue_index",  PINTLE_CTX_SCALAR,      REAL(queue)},
	{"egress_ifindex",  PINTLE_CTX_SCALAR,      REAL(egress)},
};

static const struct {
	const char *name;
	void (*fn)(void);
} helpers[] = {
	{"bpf_xdp_adjust_head",  (void (*)(void))adjust_head},
	{"bpf_xdp_adjust_tail",  (void (*)(void))adjust_tail},
	{"bpf_xdp_adjust_meta",  (void (*)(void))adjust_meta},
	{"bpf_xdp_get_buff_len", (void (*)(void))get_buff_len},
	{"bpf_xdp_load_bytes",   (void (*)(void))load_bytes},
	{"bpf_xdp_store_bytes",  (void (*)(void))store_bytes},
	{"bpf_redirect",         (void (*)(void))redirect},
	{"bpf_ktime_get_ns",     (void (*)(void))ktime_get_ns},
};

int xdp_register(struct pintle_host *host)
{
	static const struct pintle_prog_type type = {
		.size = sizeof(type),
		.name = "xdp",
		.section = "xdp",
		.ctx = "xdp_md",
		.fields = fields,
		.nfields = sizeof(fields) / sizeof(*fields),
		.packet_writable = true,
	};
	int err = pintle_prog_type_add(host, &type);

	for (unsigned int i = 0; !err && i < sizeof(helpers) / sizeof(*helpers); i++)
		err = pintle_helper_add(host, "xdp", helpers[i].name, helpers[i].fn);
	return err;
}
