/* SPDX-License-Identifier: MIT
 *
 * capture.c: reads classic pcap files of Ethernet frames, of either byte order, with
 * microseconds or nanoseconds. A file is not believed: every number in it is checked
 * before use, and what is wrong is named with the frame and the byte where it is.
 */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAGIC_US = 0xa1b2c3d4, MAGIC_NS = 0xa1b23c4d, MAGIC_NG = 0x0a0d0d0a,
       FILE_HEADER = 24, RECORD_HEADER = 16, ETHERNET = 1 };

struct capture {
	struct source source;
	const char *path;
	FILE *file;
	bool swapped;
	uint64_t size, at, frame; /* bytes; where reading is; number of frames so far */
	uint8_t bytes[MAX_FRAME];
};

static uint32_t number(const struct capture *c, const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return c->swapped ? __builtin_bswap32(value) : value;
}

static uint16_t short_number(const struct capture *c, const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return c->swapped ? __builtin_bswap16(value) : value;
}

/* Bytes read: fewer than wanted at the end of the file; -1 when reading failed. */
static long get(struct capture *c, void *to, size_t want)
{
	size_t got = fread(to, 1, want, c->file);

	c->at += got;
	if (got < want && ferror(c->file))
		return complain("%s: cannot be read: %s", c->path, strerror(errno));
	return (long)got;
}

static int corrupt(const struct capture *c, const char *what, uint32_t value)
{
	return complain("%s: corrupt: frame %llu, before byte %llu, has %s %u", c->path,
			(unsigned long long)c->frame, (unsigned long long)c->at, what,
			value);
}

static int cut_off(const struct capture *c, const char *where)
{
	return complain("%s: cut off inside %s of frame %llu: the file ends at byte %llu",
			c->path, where, (unsigned long long)c->frame,
			(unsigned long long)c->at);
}

/* ---- the file header ---- */

static int check_magic(struct capture *c, const uint8_t *header)
{
	uint32_t magic = number(c, header);

	c->swapped = magic == __builtin_bswap32(MAGIC_US) ||
		     magic == __builtin_bswap32(MAGIC_NS);
	magic = number(c, header);
	c->source.nanoseconds = magic == MAGIC_NS;
	if (magic == MAGIC_US || magic == MAGIC_NS)
		return 0;
	if (magic == MAGIC_NG)
		return complain("%s: a pcapng file; convert it: editcap -F pcap IN OUT",
				c->path);
	return complain("%s: not a pcap file: it begins with %02x %02x %02x %02x", c->path,
			header[0], header[1], header[2], header[3]);
}

static int check_header(struct capture *c)
{
	uint8_t header[FILE_HEADER];
	long got = get(c, header, sizeof(header));
	uint32_t link;

	if (got < 0)
		return -1;
	if (got == 0)
		return complain("%s: empty", c->path);
	if (got >= 4 && check_magic(c, header))
		return -1;
	if (got < FILE_HEADER)
		return complain("%s: not a pcap file: %ld bytes, its header alone has %d",
				c->path, got, FILE_HEADER);
	if (short_number(c, header + 4) != 2 || short_number(c, header + 6) != 4)
		return complain("%s: pcap version %u.%u; this reads 2.4", c->path,
				short_number(c, header + 4), short_number(c, header + 6));
	link = number(c, header + 20) & 0x03ffffff; /* above: about frame check sequences */
	if (link != ETHERNET)
		return complain("%s: link type %u; this reads Ethernet (1)", c->path, link);
	return 0;
}

/* ---- records ---- */

static int check_record(struct capture *c, const uint8_t *header, struct record *r)
{
	uint32_t fraction = number(c, header + 4);
	bool ns = c->source.nanoseconds;

	r->len = number(c, header + 8);
	r->wire_len = number(c, header + 12);
	r->time = number(c, header) * 1000000000ull + fraction * (ns ? 1ull : 1000ull);
	r->data = c->bytes;
	if (fraction >= (ns ? 1000000000u : 1000000u))
		return corrupt(c, ns ? "nanoseconds" : "microseconds", fraction);
	if (r->len > MAX_FRAME)
		return corrupt(c, "length", r->len);
	if (r->wire_len < r->len)
		return corrupt(c, "fewer bytes on the wire than captured:", r->wire_len);
	return 0;
}

static int capture_next(struct source *source, struct record *r)
{
	struct capture *c = (struct capture *)source;
	uint8_t header[RECORD_HEADER];
	long got = get(c, header, sizeof(header));

	if (got <= 0)
		return (int)got;
	c->frame++;
	if (got < RECORD_HEADER)
		return cut_off(c, "the header");
	if (check_record(c, header, r))
		return -1;
	got = get(c, c->bytes, r->len);
	if (got < 0)
		return -1;
	return got < (long)r->len ? cut_off(c, "the bytes") : 1;
}

static int capture_rewind(struct source *source)
{
	struct capture *c = (struct capture *)source;

	if (fseek(c->file, FILE_HEADER, SEEK_SET))
		return complain("%s: cannot be read a second time: %s", c->path,
				strerror(errno));
	c->at = FILE_HEADER;
	c->frame = 0;
	return 0;
}

static double capture_done(struct source *source)
{
	struct capture *c = (struct capture *)source;

	return c->size ? (double)c->at / (double)c->size : 0;
}

static void capture_close(struct source *source)
{
	struct capture *c = (struct capture *)source;

	if (c->file)
		fclose(c->file);
	free(c);
}

static int open_file(struct capture *c)
{
	struct stat st;

	c->file = fopen(c->path, "rb");
	if (!c->file || fstat(fileno(c->file), &st))
		return complain("%s: cannot be opened: %s", c->path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return complain("%s: a directory", c->path);
	c->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return check_header(c);
}

struct source *capture_open(const char *path)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c) {
		complain("out of memory");
		return NULL;
	}
	c->source = (struct source){capture_next, capture_rewind, capture_done,
				    capture_close};
	c->path = path;
	if (open_file(c)) {
		capture_close(&c->source);
		return NULL;
	}
	return &c->source;
}
