/* SPDX-License-Identifier: MIT
 *
 * output.c: where frames go that pass: a pcap file, an interface, or nowhere. The file
 * has the resolution of the input's timestamps and this machine's byte order. The first
 * failure is said, and ends the run; what was written until then is kept.
 */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct output {
	const char *path;
	FILE *file;
	struct injector *injector;
	bool nanoseconds;
};

struct file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, sigfigs, snaplen, link;
};

struct record_header {
	uint32_t seconds, fraction, len, wire_len;
};

static int put(struct output *o, const void *bytes, size_t size)
{
	if (!size || fwrite(bytes, size, 1, o->file) == 1)
		return 0;
	return complain("%s: cannot be written: %s", o->path, strerror(errno));
}

static int open_file(struct output *o)
{
	struct file_header header = {
		.magic = o->nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4,
		.major = 2,
		.minor = 4,
		.snaplen = MAX_FRAME + TAILROOM + HEADROOM,
		.link = 1,
	};

	o->file = fopen(o->path, "wb");
	if (!o->file)
		return complain("%s: cannot be written: %s", o->path, strerror(errno));
	return put(o, &header, sizeof(header));
}

struct output *output_open(const char *path, const char *iface, bool nanoseconds)
{
	struct output *o = calloc(1, sizeof(*o));

	if (!o) {
		complain("out of memory");
		return NULL;
	}
	o->path = path;
	o->nanoseconds = nanoseconds;
	if (iface)
		o->injector = live_inject_open(iface);
	if ((iface && !o->injector) || (path && open_file(o))) {
		output_close(o);
		return NULL;
	}
	return o;
}

static int write_record(struct output *o, const struct frame *frame, uint64_t time)
{
	struct record_header header = {
		.seconds = (uint32_t)(time / 1000000000),
		.fraction = (uint32_t)(time % 1000000000 / (o->nanoseconds ? 1 : 1000)),
		.len = frame->len,
		.wire_len = frame->len + frame->cut,
	};

	if (put(o, &header, sizeof(header)))
		return -1;
	return put(o, frame->data, frame->len);
}

int output_frame(struct output *o, const struct frame *frame, uint64_t time)
{
	if (o->file && write_record(o, frame, time))
		return -1;
	return o->injector ? live_inject(o->injector, frame->data, frame->len) : 0;
}

int output_close(struct output *o)
{
	int err = 0;

	if (!o)
		return 0;
	if (o->file && fclose(o->file))
		err = complain("%s: cannot be written: %s", o->path, strerror(errno));
	if (o->injector)
		live_inject_close(o->injector);
	free(o);
	return err;
}
