/* SPDX-License-Identifier: MIT
 *
 * inspect.c: looking into a running host from outside: a Unix socket, off until the host
 * opens it, at which the host's own loop answers requests (`pintle prog`, `pintle map`,
 * `pintle refs`). No thread is started, and nothing here waits for a client.
 *
 * A request is one packet: words, each ended by a NUL: "map" "dump" NAME CURSOR. The answer
 * is one packet of lines, each a JSON object: rows, and last {"end":true}, or
 * {"next":CURSOR} when more fit into the next answer, or {"error":WORDS}. A cursor means
 * something to this file only. Who cannot take its answer at once is hung up on.
 *
 * Who may ask: what the file's mode lets connect, and with a mode that is the owner's alone
 * also only root and the user that the host runs as, by the credentials of the socket.
 * Requests that change something need .writable, replacing an object needs .replaced; the
 * object file comes beside the request, as a descriptor (upload.h). Addresses are never told.
 */
#include "run/hook.h"
#include "run/map/map.h"
#include "run/inspect/upload.h"

#include "base/out.h"
#include "btf/btf_value.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_CLIENTS = 16, MAX_WORDS = 8, REQUEST = 16 << 10, ANSWER = 96 << 10,
       MAX_KEY = 512, ROOM = 2 * MAX_KEY + 64, /* for the line with the cursor */
       SEND_BUFFER = 512 << 10, WORDS = 8 << 10 };

struct client {
	struct inspect *in;
	int fd; /* -1: free */
};

struct inspect {
	struct pintle_host *host;
	struct pintle_inspect_opts opts;
	struct sockaddr_un at;
	pid_t pid; /* whose socket it is: not a child's of fork */
	int epoll, listener;
	struct client clients[MAX_CLIENTS];
	char request[REQUEST];
	char answer[ANSWER];
	char words[WORDS]; /* of a failure */
};

struct request {
	struct pintle_host *host;
	struct inspect *in;
	int fd; /* that came with it, or -1 */
	struct out out;
	u32 nwords;
	const char *words[MAX_WORDS]; /* after the two that name the request */
	const char *error;
	char next[2 * MAX_KEY + 1]; /* cursor of the next answer; "" at the end */
};

/* ------------------------------------------------------------------ rows */

static void pair(struct out *out, const char *name, const char *text)
{
	out_add(out, "%s", out->n && out->buf[out->n - 1] != '{' ? "," : "");
	out_json(out, name, strlen(name));
	out_add(out, ":");
	out_json(out, text ? text : "", text ? strlen(text) : 0);
}

static void pair_u64(struct out *out, const char *name, u64 n)
{
	out_add(out, ",");
	out_json(out, name, strlen(name));
	out_add(out, ":%llu", (unsigned long long)n);
}

/* The row that began at @start is whole; false, and it is gone, when it does not fit. */
static bool row_end(struct out *out, size_t start)
{
	out_add(out, "}\n");
	if (!out->full && out->size - out->n > ROOM)
		return true;
	out_cut(out, start);
	return false;
}

static const char *word(const struct request *r, u32 i)
{
	return i < r->nwords ? r->words[i] : "";
}

/* Answers that are counted: the cursor is the number of rows told so far. */
struct count {
	u32 skip, at;
};

static struct count count_from(const char *cursor)
{
	return (struct count){(u32)strtoul(cursor, NULL, 10), 0};
}

/* Whether the next row is still to be told. */
static bool is_due(struct count *c)
{
	return c->at++ >= c->skip;
}

static void go_on_at(struct request *r, const struct count *c)
{
	snprintf(r->next, sizeof(r->next), "%u", c->at - 1);
}

/* ------------------------------------------------------------------ programs */

static const char *object_name(const struct pintle_object *object)
{
	return object->image->name;
}

static bool prog_row(struct request *r, const struct pintle_prog *prog)
{
	struct pintle_prog_info info = {.size = sizeof(info)};
	size_t start = r->out.n;

	pintle_prog_info(prog, &info);
	out_add(&r->out, "{");
	pair(&r->out, "object", object_name(prog->object));
	pair(&r->out, "prog", prog->image->name);
	pair(&r->out, "section", prog->image->section);
	pair(&r->out, "state", prog->nlinks ? "attached" : prog->code ? "loaded" : "open");
	pair_u64(&r->out, "insns", info.insns);
	pair_u64(&r->out, "verified", info.verified_insns);
	pair_u64(&r->out, "verify_us", info.verify_ns / 1000);
	pair_u64(&r->out, "links", info.links);
	pair_u64(&r->out, "drops", info.drops);
	pair_u64(&r->out, "timed", info.timed);
	pair_u64(&r->out, "timed_ns", info.timed_ns);
	pair_u64(&r->out, "runs", info.runs);
	pair_u64(&r->out, "faults", info.faults);
	return row_end(&r->out, start);
}

static void tell_progs(struct request *r)
{
	struct count c = count_from(word(r, 0));

	for (struct pintle_object *o = r->host->objects; o; o = o->next)
		for (u32 i = 0; i < o->image->nprogs; i++)
			if (is_due(&c) && !prog_row(r, &o->progs[i])) {
				go_on_at(r, &c);
				return;
			}
}

/* "name" or "object/name". */
static bool is_named(const struct pintle_object *object, const char *name, const char *wanted)
{
	const char *slash = strrchr(wanted, '/'), *of = object_name(object);
	size_t len = slash ? (size_t)(slash - wanted) : 0;

	if (!slash)
		return !strcmp(name, wanted);
	return strlen(of) == len && !memcmp(of, wanted, len) && !strcmp(slash + 1, name);
}

static const struct pintle_prog *find_prog(struct request *r)
{
	for (struct pintle_object *o = r->host->objects; o; o = o->next)
		for (u32 i = 0; i < o->image->nprogs; i++)
			if (is_named(o, o->image->progs[i].name, word(r, 0)))
				return &o->progs[i];
	r->error = "no such program";
	return NULL;
}

static void tell_prog(struct request *r)
{
	const struct pintle_prog *prog = find_prog(r);

	if (prog)
		prog_row(r, prog);
}

static bool hook_row(struct request *r, const struct hook *hook)
{
	struct pintle_hook_info info = {.size = sizeof(info)};
	size_t start = r->out.n;

	pintle_hook_info(hook->at, &info);
	out_add(&r->out, "{");
	pair(&r->out, "hook", hook->at->name);
	pair_u64(&r->out, "links", info.links);
	pair_u64(&r->out, "drops", info.drops);
	pair_u64(&r->out, "timed", info.timed);
	pair_u64(&r->out, "timed_ns", info.timed_ns);
	pair_u64(&r->out, "calls", info.calls);
	return row_end(&r->out, start);
}

static void tell_hooks(struct request *r)
{
	struct count c = count_from(word(r, 0));

	for (u32 i = 0; i < r->host->hooks.n; i++)
		if (is_due(&c) && !hook_row(r, r->host->hooks.v[i])) {
			go_on_at(r, &c);
			return;
		}
}

static bool insn_row(struct request *r, const struct image_prog *prog, u32 at)
{
	const struct image_line *line = image_line_of(prog, at);
	size_t start = r->out.n;
	char text[160];

	isa_disasm(prog->insns + at, prog->ninsns - at, NULL, text, sizeof(text));
	out_add(&r->out, "{\"insn\":%u", at);
	pair(&r->out, "text", text);
	pair_u64(&r->out, "line", line ? line->line : 0);
	pair(&r->out, "source", line ? line->text : "");
	return row_end(&r->out, start);
}

static void tell_insns(struct request *r)
{
	const struct pintle_prog *prog = find_prog(r);
	u32 at = (u32)strtoul(word(r, 1), NULL, 10);
	const char *why;

	for (u32 slots; prog && at < prog->image->ninsns; at += slots) {
		slots = isa_slots(isa_decode(prog->image->insns + at,
					     prog->image->ninsns - at, &why));
		if (insn_row(r, prog->image, at))
			continue;
		snprintf(r->next, sizeof(r->next), "%u", at);
		return;
	}
}

/* ------------------------------------------------------------------ maps */

static bool map_row(struct request *r, const struct pintle_map *map)
{
	const struct image_map *def = map->image;
	const char *type = abi_map_type(def->type)->name;
	size_t start = r->out.n;

	out_add(&r->out, "{");
	pair(&r->out, "object", object_name(map->object));
	pair(&r->out, "map", def->name);
	pair(&r->out, "type", type ? type : "?");
	pair_u64(&r->out, "key_size", pintle_map_key_size(map));
	pair_u64(&r->out, "value_size", def->value_size);
	pair_u64(&r->out, "max_entries", def->max_entries);
	pair_u64(&r->out, "count", map->map ? pintle_map_count(map) : 0);
	pair_u64(&r->out, "fields", def->record ? def->record->n : 0);
	return row_end(&r->out, start);
}

static void tell_maps(struct request *r)
{
	struct count c = count_from(word(r, 0));

	for (struct pintle_object *o = r->host->objects; o; o = o->next)
		for (u32 i = 0; i < o->image->nmaps; i++)
			if (is_due(&c) && !map_row(r, &o->maps[i])) {
				go_on_at(r, &c);
				return;
			}
}

static struct pintle_map *find_map(struct request *r)
{
	for (struct pintle_object *o = r->host->objects; o; o = o->next)
		for (u32 i = 0; i < o->image->nmaps; i++)
			if (is_named(o, o->image->maps[i].name, word(r, 0)))
				return o->maps[i].map ? &o->maps[i] : NULL;
	return NULL;
}

/* One element while it is looked at: the map, and room for a key and a value. */
struct element {
	struct pintle_map *map;
	u32 key_size, value_size;
	u8 *key, *value; /* of one allocation */
};

static bool element_begin(struct request *r, struct element *e)
{
	e->map = find_map(r);
	e->key = NULL;
	if (!e->map) {
		r->error = "no such map";
		return false;
	}
	e->key_size = pintle_map_key_size(e->map);
	e->value_size = pintle_map_value_size(e->map);
	e->key = calloc(1, (size_t)ROUND_UP(e->key_size, 8) + e->value_size + 8);
	e->value = e->key ? e->key + ROUND_UP(e->key_size, 8) : NULL;
	if (!e->key)
		r->error = "out of memory";
	return e->key;
}

/* A value a slot, for per-CPU kinds. */
static void value_text(struct out *out, const struct element *e)
{
	const struct image_map *def = e->map->image;
	const struct btf *btf = e->map->object->image->btf;
	u32 stride = ROUND_UP(def->value_size, 8);

	if (!abi_map_type(def->type)->percpu) {
		btf_value_json(out, btf, def->value_type, e->value, def->value_size);
		return;
	}
	out_add(out, "[");
	for (u32 at = 0; at < e->value_size && !out->full; at += stride) {
		out_add(out, at ? "," : "");
		btf_value_json(out, btf, def->value_type, e->value + at, def->value_size);
	}
	out_add(out, "]");
}

static bool element_row(struct request *r, const struct element *e)
{
	size_t start = r->out.n;

	out_add(&r->out, "{\"key\":");
	btf_value_json(&r->out, e->map->object->image->btf, e->map->image->key_type, e->key,
		       e->key_size);
	out_add(&r->out, ",\"value\":");
	value_text(&r->out, e);
	return row_end(&r->out, start);
}

static void hex_cursor(struct request *r, const u8 *key, u32 size)
{
	for (u32 i = 0; i < size; i++)
		snprintf(r->next + 2 * i, 3, "%02x", key[i]);
}

/* From the key behind the one that @cursor names; the first when there is none. */
static int first_key(struct element *e, const char *cursor)
{
	char text[2 * MAX_KEY + 8];

	if (!*cursor)
		return pintle_map_next_key(e->map, NULL, e->key);
	snprintf(text, sizeof(text), "hex:%s", cursor);
	if (!btf_value_parse(NULL, 0, text, e->key, e->key_size))
		return -EINVAL;
	return pintle_map_next_key(e->map, e->key, e->key);
}

static void tell_elements(struct request *r)
{
	struct element e;
	u8 before[MAX_KEY];
	int err;

	if (!element_begin(r, &e))
		return;
	if (e.key_size > sizeof(before))
		r->error = "its keys are too long for a dump";
	err = r->error ? -EINVAL : first_key(&e, word(r, 1));
	while (!err) {
		/* Gone meanwhile: nothing to tell. */
		bool there = !pintle_map_lookup(e.map, e.key, e.value);

		if (there && !element_row(r, &e)) {
			if (r->out.n)
				hex_cursor(r, before, e.key_size);
			else /* not even alone in an answer */
				r->error = "a value is too large for an answer";
			break;
		}
		memcpy(before, e.key, e.key_size);
		err = pintle_map_next_key(e.map, e.key, e.key);
	}
	if (err && err != -ENOENT && !r->error)
		r->error = strerror(-err);
	free(e.key);
}

static bool parse_key(struct request *r, struct element *e)
{
	if (btf_value_parse(e->map->object->image->btf, e->map->image->key_type, word(r, 1),
			    e->key, e->key_size))
		return true;
	r->error = "not a key of this map: a number where keys are numbers, or hex: and "
		   "all bytes as hex digits";
	return false;
}

static void tell_element(struct request *r)
{
	struct element e;
	int err;

	if (element_begin(r, &e) && parse_key(r, &e)) {
		err = pintle_map_lookup(e.map, e.key, e.value);
		if (err)
			r->error = strerror(-err);
		else if (!element_row(r, &e))
			r->error = "the value is too large for an answer";
	}
	free(e.key);
}

static bool parse_value(struct request *r, struct element *e)
{
	const struct image_map *def = e->map->image;

	if (abi_map_type(def->type)->percpu) {
		r->error = "values of per-CPU maps cannot be set from here";
		return false;
	}
	if (btf_value_parse(e->map->object->image->btf, def->value_type, word(r, 2), e->value,
			    e->value_size))
		return true;
	r->error = "not a value of this map: a number where values are numbers, or hex: and "
		   "all bytes as hex digits";
	return false;
}

static void set_element(struct request *r)
{
	struct element e;
	int err;

	if (element_begin(r, &e) && parse_key(r, &e) && parse_value(r, &e)) {
		err = pintle_map_update(e.map, e.key, e.value, PINTLE_ANY);
		r->error = err ? strerror(-err) : NULL;
	}
	free(e.key);
}

static void delete_element(struct request *r)
{
	struct element e;
	int err;

	if (element_begin(r, &e) && parse_key(r, &e)) {
		err = pintle_map_delete(e.map, e.key);
		r->error = err ? strerror(-err) : NULL;
	}
	free(e.key);
}

/* ------------------------------------------------------------------ references */

struct refs {
	struct request *r;
	struct count count;
};

/* An object is told by a number that is the same throughout one answer only. */
static int ref_row(void *data, const struct pintle_ref *ref)
{
	struct refs *refs = data;
	struct out *out = &refs->r->out;
	size_t start = out->n;

	if (!is_due(&refs->count))
		return 0;
	out_add(out, "{");
	pair(out, "type", ref->type);
	pair(out, "map", ref->map);
	out_add(out, ",\"key\":");
	btf_value_json(out, NULL, 0, ref->key, ref->key ? ref->key_size : 0);
	pair(out, "field", ref->field);
	if (ref->slot != UINT32_MAX)
		pair_u64(out, "slot", ref->slot);
	pair_u64(out, "since_ms", ref->since_ms);
	if (row_end(out, start))
		return 0;
	go_on_at(refs->r, &refs->count);
	return 1;
}

static void tell_refs(struct request *r)
{
	const char *type = *word(r, 0) ? word(r, 0) : NULL;
	struct refs refs = {r, count_from(word(r, 1))};
	int64_t n = pintle_refs_each(r->host, type, NULL, ref_row, &refs);

	if (n < 0)
		r->error = strerror((int)-n);
}

static int total_row(void *data, const struct pintle_type_total *total)
{
	struct request *r = data;
	size_t start = r->out.n;

	out_add(&r->out, "{");
	pair(&r->out, "type", total->type);
	pair(&r->out, "of", total->local ? "programs" : "host");
	pair_u64(&r->out, "objects", total->objects);
	return !row_end(&r->out, start);
}

static void tell_totals(struct request *r)
{
	int err = pintle_refs_totals(r->host, total_row, r);

	if (err < 0)
		r->error = strerror(-err);
}

/* ------------------------------------------------------------------ replacing */

/* The one that is loaded under this name; no name: the only one. */
static struct pintle_object *find_object(struct request *r)
{
	struct pintle_object *found = NULL;

	for (struct pintle_object *o = r->host->objects; o; o = o->next) {
		if (!o->loaded || (*word(r, 0) && strcmp(object_name(o), word(r, 0))))
			continue;
		if (found) {
			r->error = "more than one object goes by that name";
			return NULL;
		}
		found = o;
	}
	if (!found)
		r->error = "no such object is loaded";
	return found;
}

/* What does not fit into the answer is not told: it was done all the same. */
static void change_row(void *data, const struct pintle_change *change)
{
	struct request *r = data;
	size_t start = r->out.n;

	out_add(&r->out, "{");
	pair(&r->out, "kind", change->kind);
	pair(&r->out, "name", change->name);
	pair(&r->out, "what", change->what);
	row_end(&r->out, start);
}

static void replace_object(struct request *r)
{
	const struct pintle_inspect_opts *opts = &r->in->opts;
	const struct pintle_replace_opts how = {.size = sizeof(how), .changed = change_row,
						.keep_data = !strcmp(word(r, 1), "keep-data"),
						.data = r};
	struct pintle_object *old = find_object(r);
	struct upload up;

	if (!old)
		return;
	r->error = upload_open(&up, r->fd);
	if (r->error)
		return;
	if (upload_replace(&up, old, &how, opts->replaced, opts->data)) {
		snprintf(r->in->words, WORDS, "%s", pintle_host_error(r->host));
		r->error = r->in->words;
	}
	upload_close(&up);
}

/* ------------------------------------------------------------------ requests */

enum may { MAY_ASK, MAY_WRITE, MAY_REPLACE };

static const struct {
	const char *noun, *verb;
	void (*answer)(struct request *r);
	enum may may;
} requests[] = {
	{"prog", "list", tell_progs, MAY_ASK},
	{"prog", "show", tell_prog, MAY_ASK},
	{"prog", "dump", tell_insns, MAY_ASK},
	{"hook", "list", tell_hooks, MAY_ASK},
	{"map", "list", tell_maps, MAY_ASK},
	{"map", "dump", tell_elements, MAY_ASK},
	{"map", "get", tell_element, MAY_ASK},
	{"map", "set", set_element, MAY_WRITE},
	{"map", "delete", delete_element, MAY_WRITE},
	{"refs", "list", tell_refs, MAY_ASK},
	{"refs", "totals", tell_totals, MAY_ASK},
	{"object", "replace", replace_object, MAY_REPLACE},
};

/* Words end with a NUL each; whatever is behind the last NUL is none. */
static u32 split(const char *text, size_t len, const char **words, u32 most)
{
	u32 n = 0;

	while (n < most) {
		const char *end = memchr(text, 0, len);

		if (!end)
			break;
		words[n++] = text;
		len -= (size_t)(end - text) + 1;
		text = end + 1;
	}
	return n;
}

static const char *forbids(const struct inspect *in, enum may may)
{
	if (may == MAY_WRITE && !in->opts.writable)
		return "the host lets nobody change anything from outside";
	if (may == MAY_REPLACE && !in->opts.replaced)
		return "the host lets nobody replace its objects from outside";
	return NULL;
}

static void dispatch(struct inspect *in, struct request *r, const char *noun, const char *verb)
{
	for (u32 i = 0; i < ARRAY_SIZE(requests); i++) {
		if (strcmp(requests[i].noun, noun) || strcmp(requests[i].verb, verb))
			continue;
		r->error = forbids(in, requests[i].may);
		if (!r->error)
			requests[i].answer(r);
		return;
	}
	r->error = "no such request";
}

/* The last line of every answer. */
static void finish(struct request *r)
{
	if (r->error)
		out_cut(&r->out, 0);
	if (!r->error && !*r->next) {
		out_add(&r->out, "{\"end\":true}\n");
		return;
	}
	out_add(&r->out, "{");
	pair(&r->out, r->error ? "error" : "next", r->error ? r->error : r->next);
	out_add(&r->out, "}\n");
}

static size_t answer(struct inspect *in, size_t len, int fd)
{
	const char *words[MAX_WORDS + 2] = {"", ""};
	u32 n = split(in->request, len, words, ARRAY_SIZE(words));
	struct request r = {.host = in->host, .in = in, .fd = fd, .out = {in->answer, 0, ANSWER, false}};

	r.nwords = n > 2 ? n - 2 : 0;
	memcpy(r.words, words + 2, r.nwords * sizeof(words[0]));
	in->answer[0] = 0;
	dispatch(in, &r, words[0], words[1]);
	finish(&r);
	return r.out.n;
}

/* ------------------------------------------------------------------ the socket */

static void hang_up(struct client *c)
{
	close(c->fd); /* leaves the epoll set by itself */
	c->fd = -1;
}

static bool may_ask(const struct inspect *in, int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (in->opts.mode & 077)
		return true;
	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) &&
	       (!who.uid || who.uid == geteuid());
}

static struct client *free_place(struct inspect *in)
{
	for (u32 i = 0; i < MAX_CLIENTS; i++)
		if (in->clients[i].fd < 0)
			return &in->clients[i];
	return NULL;
}

static void welcome(struct inspect *in)
{
	int fd = accept4(in->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int size = SEND_BUFFER;
	struct client *c = fd >= 0 ? free_place(in) : NULL;
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

	if (fd < 0)
		return;
	if (!c || !may_ask(in, fd) || epoll_ctl(in->epoll, EPOLL_CTL_ADD, fd, &event)) {
		close(fd);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	c->fd = fd;
}

/* A request, and the descriptor that came beside it, or -1; what else came is closed. */
static ssize_t receive(struct client *c, int *fd)
{
	struct inspect *in = c->in;
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec at = {in->request, REQUEST};
	struct msghdr msg = {.msg_iov = &at, .msg_iovlen = 1, .msg_control = &control,
			     .msg_controllen = CMSG_LEN(sizeof(int))}; /* for no second */
	ssize_t got = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *first = got < 0 ? NULL : CMSG_FIRSTHDR(&msg);

	*fd = -1;
	if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS &&
	    first->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(first), sizeof(*fd));
	return got;
}

/* 1 when a request was answered. */
static int hear(struct client *c)
{
	struct inspect *in = c->in;
	size_t len;
	int fd;
	ssize_t got = receive(c, &fd);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0) {
		if (fd >= 0)
			close(fd);
		hang_up(c);
		return 0;
	}
	len = answer(in, (size_t)got, fd);
	if (fd >= 0)
		close(fd);
	if (send(c->fd, in->answer, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
		hang_up(c);
	return 1;
}

int pintle_inspect_serve(struct pintle_host *host)
{
	struct inspect *in = host->inspect;
	struct epoll_event events[MAX_CLIENTS];
	int n, answered = 0;

	if (!in)
		return host_fail(host, -EINVAL, "inspect: no socket is open");
	if (in->pid != getpid())
		return host_fail(host, -ECHILD, "inspect: the socket is another process's");
	n = epoll_wait(in->epoll, events, MAX_CLIENTS, 0);
	for (int i = 0; i < n; i++) {
		struct client *c = events[i].data.ptr;

		if (!c)
			welcome(in);
		else if (c->fd >= 0)
			answered += hear(c);
	}
	return answered;
}

/* ------------------------------------------------------------------ opening */

/* A socket that nobody listens at any more. */
static bool is_left_over(const struct sockaddr_un *at)
{
	int probe = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct stat st;
	bool left = probe >= 0 && !lstat(at->sun_path, &st) && S_ISSOCK(st.st_mode) &&
		    connect(probe, (const struct sockaddr *)at, sizeof(*at)) &&
		    errno == ECONNREFUSED;

	if (probe >= 0)
		close(probe);
	return left;
}

static int bind_path(const struct inspect *in)
{
	const struct sockaddr *at = (const struct sockaddr *)&in->at;

	if (!bind(in->listener, at, sizeof(in->at)))
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (!is_left_over(&in->at) || unlink(in->at.sun_path))
		return -EADDRINUSE;
	return bind(in->listener, at, sizeof(in->at)) ? -errno : 0;
}

static int listen_at(struct inspect *in)
{
	struct epoll_event event = {.events = EPOLLIN};
	mode_t mask;
	int err;

	in->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	in->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (in->listener < 0 || in->epoll < 0)
		return -errno;
	mask = umask(0177); /* nobody slips in before the mode is set */
	err = bind_path(in);
	umask(mask);
	if (err)
		return err;
	if (chmod(in->at.sun_path, in->opts.mode) || listen(in->listener, MAX_CLIENTS) ||
	    epoll_ctl(in->epoll, EPOLL_CTL_ADD, in->listener, &event)) {
		err = -errno;
		unlink(in->at.sun_path);
	}
	return err;
}

static void inspect_free(struct inspect *in)
{
	for (u32 i = 0; i < MAX_CLIENTS; i++)
		if (in->clients[i].fd >= 0)
			hang_up(&in->clients[i]);
	if (in->listener >= 0)
		close(in->listener);
	if (in->epoll >= 0)
		close(in->epoll);
	free(in);
}

int pintle_inspect_open(struct pintle_host *host, const char *path,
			const struct pintle_inspect_opts *opts)
{
	struct inspect *in;
	int err;

	if (host->inspect)
		return host_fail(host, -EBUSY, "inspect: a socket is open already");
	if (!path || !*path || strlen(path) >= sizeof(in->at.sun_path))
		return host_fail(host, -EINVAL, "inspect: no path, or one of more than %zu bytes",
				 sizeof(in->at.sun_path) - 1);
	in = calloc(1, sizeof(*in));
	if (!in)
		return host_oom(host);
	in->host = host;
	in->pid = getpid();
	in->listener = in->epoll = -1;
	in->at.sun_family = AF_UNIX;
	strcpy(in->at.sun_path, path);
	opts_copy(&in->opts, sizeof(in->opts), opts, opts ? opts->size : 0);
	if (!in->opts.mode)
		in->opts.mode = 0600;
	for (u32 i = 0; i < MAX_CLIENTS; i++)
		in->clients[i] = (struct client){in, -1};
	err = listen_at(in);
	if (err) {
		inspect_free(in);
		return host_fail(host, err, "inspect: %s: %s", path, strerror(-err));
	}
	host->inspect = in;
	return 0;
}

int pintle_inspect_fd(const struct pintle_host *host)
{
	return host->inspect ? host->inspect->epoll : -EINVAL;
}

void pintle_inspect_close(struct pintle_host *host)
{
	if (!host->inspect)
		return;
	if (host->inspect->pid == getpid())
		unlink(host->inspect->at.sun_path);
	inspect_free(host->inspect);
	host->inspect = NULL;
}
