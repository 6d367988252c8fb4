/* SPDX-License-Identifier: MIT
 *
 * frame.c: frames, counted. While programs run over a frame the engine holds one
 * reference; frame_take() makes another, which the program owns and may keep in a map.
 *
 * A frame has one owner at a time, so fields are emptied by exchange only: nothing is
 * promised to those who merely read a pointer from a field (PINTLE_RCU_NONE).
 */
#include "engine.h"

#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#define KFUNC __attribute__((noinline, used))

struct frame *frame_new(struct engine *engine, const struct record *record)
{
	size_t size = HEADROOM + record->len + TAILROOM;
	struct frame *frame = calloc(1, sizeof(*frame) + size);

	if (!frame) {
		complain("out of memory");
		return NULL;
	}
	frame->refs = 1;
	frame->start = (uint8_t *)(frame + 1);
	frame->end = frame->start + size;
	frame->data = frame->start + HEADROOM;
	frame->len = record->len;
	frame->cut = record->wire_len - record->len;
	frame->time = engine->now;
	frame->engine = engine;
	memcpy(frame->data, record->data, record->len);
	__atomic_add_fetch(&engine->frames.made, 1, __ATOMIC_RELAXED);
	return frame;
}

KFUNC struct frame *frame_take(struct xdp_md *ctx)
{
	struct xdp_run *run = (struct xdp_run *)ctx;

	if (run->taken)
		return NULL;
	run->taken = true;
	__atomic_add_fetch(&run->frame->refs, 1, __ATOMIC_RELAXED);
	return run->frame;
}

KFUNC void frame_put(struct frame *frame)
{
	struct engine *engine = frame->engine;

	if (__atomic_sub_fetch(&frame->refs, 1, __ATOMIC_ACQ_REL))
		return;
	free(frame);
	__atomic_add_fetch(&engine->frames.freed, 1, __ATOMIC_RELAXED);
}

/* Nothing is written inside a read section: the engine does it when the run is over. */
KFUNC void frame_send(struct frame *frame)
{
	struct engine *engine = frame->engine;

	frame->next = NULL;
	if (engine->sending)
		engine->sending_last->next = frame;
	else
		engine->sending = frame;
	engine->sending_last = frame;
}

KFUNC __u32 frame_len(struct frame *frame)
{
	return frame->len;
}

static void frame_dtor(void *frame)
{
	frame_put(frame);
}

static const char *const xdp_only[] = {"xdp", NULL};

int frame_register(struct pintle_host *host)
{
	int err = pintle_export_func(
		host, "frame_take", (void (*)(void))frame_take,
		PINTLE_OPTS(pintle_func_opts, .flags = PINTLE_ACQUIRE | PINTLE_RET_NULL,
			    .prog_types = xdp_only));

	if (!err)
		err = pintle_export(host, frame_put, PINTLE_RELEASE);
	if (!err)
		err = pintle_export(host, frame_send, PINTLE_RELEASE | PINTLE_CONSUME);
	if (!err)
		err = pintle_export(host, frame_len, PINTLE_TRUSTED);
	if (!err)
		err = pintle_storable(host, "frame", .dtor = frame_dtor,
				      .rcu = PINTLE_RCU_NONE);
	return err;
}
