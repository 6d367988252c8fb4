/* SPDX-License-Identifier: MIT
 *
 * remote.c: `pintle prog`, `hook`, `map`, `refs`, `top` and `replace`: asks a running host at the socket that
 * it opened (pintle_inspect_open()) and prints the rows of its answer: as they came, one
 * JSON object a line, with --json; else as a table whose columns are the rows' members.
 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER = 1 << 17, MAX_WORDS = 8, MAX_COLUMNS = 16, MAX_WIDTH = 48 };

struct remote {
	const char *path;
	bool json;
	int fd;
	int file; /* to be sent beside the request, or -1 */
	const char *name; /* replace: whose place is taken */
	bool keep_data;
	u32 count; /* top: how many times; 0: until interrupted */
	const char *words[MAX_WORDS];
	u32 nwords;
	char answer[ANSWER];
};

/* ------------------------------------------------------------------ asking */

static int talk_to(struct remote *r)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	if (!r->path)
		return usage_error("no socket given: --socket PATH, or PINTLE_SOCKET");
	if (strlen(r->path) >= sizeof(at.sun_path))
		return usage_error("%s: the path is too long for a socket", r->path);
	strcpy(at.sun_path, r->path);
	r->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (r->fd < 0 || connect(r->fd, (struct sockaddr *)&at, sizeof(at)))
		return usage_error("%s: %s", r->path, strerror(errno));
	return 0;
}

/* The request, and beside it the file, if there is one. */
static bool send_all(const struct remote *r, void *request, size_t n)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec at = {request, n};
	struct msghdr msg = {.msg_iov = &at, .msg_iovlen = 1};

	if (r->file >= 0) {
		memcpy(CMSG_DATA(&control.head), &r->file, sizeof(int));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	return sendmsg(r->fd, &msg, MSG_NOSIGNAL) == (ssize_t)n;
}

/* One request, one answer in r->answer. */
static int ask(struct remote *r, const char *cursor)
{
	char request[1 << 14];
	size_t n = 0;
	ssize_t got;

	for (u32 i = 0; i < r->nwords + 1; i++) {
		const char *word = i < r->nwords ? r->words[i] : cursor;
		size_t len = strlen(word) + 1;

		if (len > sizeof(request) - n)
			return usage_error("the request is too long");
		memcpy(request + n, word, len);
		n += len;
	}
	if (!send_all(r, request, n))
		return usage_error("%s: %s", r->path, strerror(errno));
	got = recv(r->fd, r->answer, ANSWER - 1, 0);
	if (got <= 0)
		return usage_error("%s: the host hung up", r->path);
	r->answer[got] = 0;
	return 0;
}

/* ------------------------------------------------------------------ rows */

/* The end of the JSON value at @p: a string, something in brackets, or a plain word. */
static char *value_end(char *p)
{
	int depth = 0;
	bool text = false;

	for (; *p; p++) {
		if (text) {
			p += *p == '\\' && p[1];
			text = *p != '"';
			if (!text && !depth)
				return p + 1;
			continue;
		}
		text = *p == '"';
		depth += *p == '{' || *p == '[';
		if (*p == '}' || *p == ']') {
			if (!depth)
				return p;
			if (!--depth)
				return p + 1;
		}
		if (*p == ',' && !depth)
			return p;
	}
	return p;
}

struct cell {
	char *name, *value; /* of strings: without the quotes, escapes as they are */
};

static char *unquote(char *from, char *end)
{
	*end = 0;
	if (*from == '"' && end > from + 1) {
		end[-1] = 0;
		from++;
	}
	return from;
}

/* {"a":1,"b":"x"}: its members, in place. */
static u32 split_row(char *row, struct cell *cells)
{
	char *p = row + (*row == '{');
	u32 n = 0;

	while (n < MAX_COLUMNS && *p == '"') {
		char *name = p, *colon = value_end(p), *end;
		char after;

		if (*colon != ':')
			break;
		end = value_end(colon + 1);
		after = *end;
		cells[n].name = unquote(name, colon);
		cells[n++].value = unquote(colon + 1, end);
		if (after != ',')
			break;
		p = end + 1;
	}
	return n;
}

/* Words in place, without the escapes of JSON but those of odd characters. */
static const char *unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		bool known = *from == '\\' && strchr("n\"\\t", from[1]) && from[1];

		if (known)
			from++;
		*to++ = (char)(known && *from == 'n' ? '\n' : known && *from == 't' ? '\t' : *from);
	}
	*to = 0;
	return text;
}

struct table {
	VEC(struct cell *) rows; /* each of ncolumns */
	u32 ncolumns, width[MAX_COLUMNS];
};

static void print_cell(const struct table *t, u32 column, const char *text)
{
	if (column + 1 < t->ncolumns)
		printf("%-*s  ", (int)min_u32(t->width[column], MAX_WIDTH), text);
	else
		printf("%s\n", text);
}

static void table_print(struct table *t)
{
	for (u32 c = 0; c < t->ncolumns; c++)
		print_cell(t, c, t->rows.v[0][c].name);
	for (u32 i = 0; i < t->rows.n; i++)
		for (u32 c = 0; c < t->ncolumns; c++)
			print_cell(t, c, t->rows.v[i][c].value);
}

static void table_free(struct table *t)
{
	for (u32 i = 0; i < t->rows.n; i++)
		free(t->rows.v[i]);
	vec_free(&t->rows);
}

/* Keeps a copy of the row: cells and, behind them, the text they point into. */
static void table_add(struct table *t, const char *row)
{
	size_t len = strlen(row) + 1;
	struct cell *cells = calloc(1, MAX_COLUMNS * sizeof(*cells) + len);
	char *text = (char *)(cells + MAX_COLUMNS);
	u32 n;

	if (!cells)
		return;
	memcpy(text, row, len);
	n = split_row(text, cells);
	if (!t->rows.n)
		t->ncolumns = n;
	if (!n || n < t->ncolumns || !vec_push(&t->rows, cells)) {
		free(cells);
		return;
	}
	for (u32 c = 0; c < t->ncolumns; c++) {
		t->width[c] = max_u32(t->width[c], (u32)strlen(cells[c].value));
		t->width[c] = max_u32(t->width[c], (u32)strlen(cells[c].name));
	}
}

/* ------------------------------------------------------------------ whole answers */

enum last { LAST_END, LAST_NEXT, LAST_ERROR };

/* The last line of an answer; @text: the cursor or the words. */
static enum last last_line(char *line, char *text, size_t size)
{
	struct cell cells[MAX_COLUMNS];

	if (!split_row(line, cells))
		return LAST_END;
	snprintf(text, size, "%s", cells[0].value);
	return !strcmp(cells[0].name, "next")	 ? LAST_NEXT
	       : !strcmp(cells[0].name, "error") ? LAST_ERROR
						 : LAST_END;
}

/* All rows of r->answer but the last line, which is returned. */
static char *take_rows(struct remote *r, struct table *table)
{
	char *line = r->answer, *end;

	while ((end = strchr(line, '\n')) && end[1]) {
		*end = 0;
		if (r->json)
			puts(line);
		else
			table_add(table, line);
		line = end + 1;
	}
	if (end)
		*end = 0;
	return line;
}

static int all_rows(struct remote *r, struct table *table)
{
	static char text[1 << 14];

	*text = 0;

	for (;;) {
		enum last last;

		if (ask(r, text))
			return EXIT_USAGE;
		last = last_line(take_rows(r, table), text, sizeof(text));
		if (last == LAST_END)
			return EXIT_DONE;
		if (last == LAST_NEXT)
			continue;
		usage_error("%s", unescape(text));
		return EXIT_REFUSED;
	}
}

static int print_answer(struct remote *r)
{
	struct table table = {.ncolumns = 0};
	int exit_code = all_rows(r, &table);

	if (table.rows.n)
		table_print(&table);
	table_free(&table);
	return exit_code;
}

/* ------------------------------------------------------------------ top */

static const char *cell_of(const struct table *t, u32 row, const char *name)
{
	for (u32 c = 0; c < t->ncolumns; c++)
		if (!strcmp(t->rows.v[row][c].name, name))
			return t->rows.v[row][c].value;
	return "";
}

static void print_rates(const struct table *now, const struct table *before)
{
	bool same = now->rows.n == before->rows.n;

	printf("%-24s %-24s %-9s %12s %12s %8s %8s %8s\n", "object", "prog", "state", "runs",
	       "runs/s", "ns/run", "faults", "drops");
	for (u32 i = 0; i < now->rows.n; i++) {
		u64 runs = strtoull(cell_of(now, i, "runs"), NULL, 10);
		u64 was = same ? strtoull(cell_of(before, i, "runs"), NULL, 10) : runs;

		u64 timed = strtoull(cell_of(now, i, "timed"), NULL, 10);
		u64 ns = strtoull(cell_of(now, i, "timed_ns"), NULL, 10);

		printf("%-24s %-24s %-9s %12llu %12llu %8llu %8s %8s\n", cell_of(now, i, "object"),
		       cell_of(now, i, "prog"), cell_of(now, i, "state"),
		       (unsigned long long)runs, (unsigned long long)(runs - was),
		       (unsigned long long)(timed ? ns / timed : 0),
		       cell_of(now, i, "faults"), cell_of(now, i, "drops"));
	}
	fflush(stdout);
}

static int top(struct remote *r)
{
	struct table before = {.ncolumns = 0}, now;
	int exit_code = EXIT_DONE;

	r->json = false;
	for (u32 i = 0; !exit_code && (!r->count || i <= r->count); i++) {
		now = (struct table){.ncolumns = 0};
		exit_code = all_rows(r, &now);
		if (!exit_code && i) {
			if (isatty(STDOUT_FILENO))
				fputs("\033[H\033[J", stdout);
			print_rates(&now, &before);
		}
		table_free(&before);
		before = now;
		if (!exit_code && (!r->count || i < r->count))
			sleep(1);
	}
	table_free(&before);
	return exit_code;
}

/* ------------------------------------------------------------------ the commands */

static const struct {
	const char *noun, *verb;
	u32 least, most; /* words behind the verb */
} shapes[] = {
	{"prog", "list", 0, 0}, {"prog", "show", 1, 1},	  {"prog", "dump", 1, 1},
	{"map", "list", 0, 0},	{"map", "dump", 1, 1},	  {"map", "get", 2, 2},
	{"map", "set", 3, 3},	{"map", "delete", 2, 2},  {"refs", "list", 0, 1},
	{"refs", "totals", 0, 0}, {"hook", "list", 0, 0}, {"object", "replace", 2, 2},
};

static int check_shape(const struct remote *r)
{
	for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
		u32 n = r->nwords - 2;

		if (r->nwords < 2 || strcmp(shapes[i].noun, r->words[0]) ||
		    strcmp(shapes[i].verb, r->words[1]))
			continue;
		if (n >= shapes[i].least && n <= shapes[i].most)
			return 0;
		return usage_error("%s %s takes %u words", r->words[0], r->words[1],
				   shapes[i].most);
	}
	return usage_error("%s: list, show, dump, get, set, delete or totals, as `pintle help` "
			   "says", r->words[0]);
}

/* ------------------------------------------------------------------ replace */

/* The file at @path in memory that nobody can change any more; -1, and it was said why. */
static int sealed_copy(const char *path)
{
	char buf[1 << 14];
	FILE *f = fopen(path, "re");
	int fd = f ? memfd_create("pintle", MFD_CLOEXEC | MFD_ALLOW_SEALING) : -1;
	bool good = fd >= 0;
	size_t n;

	while (good && (n = fread(buf, 1, sizeof(buf), f)))
		good = write(fd, buf, n) == (ssize_t)n;
	good = good && !ferror(f) &&
	       !fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
	if (!good)
		usage_error("%s: %s", path, strerror(errno));
	if (!good && fd >= 0)
		close(fd);
	if (f)
		fclose(f);
	return good ? fd : -1;
}

/* replace OBJECT is object replace NAME HOW, and the file; its name is the object's usually. */
static int complete_replace(struct remote *r)
{
	const char *path = r->nwords == 2 ? r->words[1] : NULL;
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!path)
		return usage_error("replace takes an object file");
	r->file = sealed_copy(path);
	r->words[0] = "object";
	r->words[1] = "replace";
	r->words[2] = r->name ? r->name : slash ? slash + 1 : path;
	r->words[3] = r->keep_data ? "keep-data" : "";
	r->nwords = 4;
	return r->file < 0 ? EXIT_USAGE : 0;
}

static int parse(int argc, char **argv, struct remote *r)
{
	r->words[r->nwords++] = argv[0];
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			r->json = true;
		else if (!strcmp(argv[i], "--keep-data"))
			r->keep_data = true;
		else if (!strcmp(argv[i], "--name") && i + 1 < argc)
			r->name = argv[++i];
		else if (!strcmp(argv[i], "--socket") && i + 1 < argc)
			r->path = argv[++i];
		else if (!strcmp(argv[i], "--count") && i + 1 < argc)
			r->count = (u32)strtoul(argv[++i], NULL, 10);
		else if (!strncmp(argv[i], "--", 2) || r->nwords == MAX_WORDS)
			return usage_error("%s: '%s' is unknown or needs a value", argv[0],
					   argv[i]);
		else
			r->words[r->nwords++] = argv[i];
	}
	return 0;
}

/* What is left out has a usual meaning. */
static int complete(struct remote *r)
{
	bool refs = !strcmp(r->words[0], "refs");

	if (!strcmp(r->words[0], "replace"))
		return complete_replace(r);
	if (!strcmp(r->words[0], "top")) {
		r->words[0] = "prog";
		r->nwords = 1;
	}
	if (refs && r->nwords == 2 && strcmp(r->words[1], "list") && strcmp(r->words[1], "totals"))
		r->words[r->nwords++] = r->words[1], r->words[1] = "list";
	if (r->nwords == 1)
		r->words[r->nwords++] = "list";
	if (refs && r->nwords == 2 && !strcmp(r->words[1], "list"))
		r->words[r->nwords++] = ""; /* of any type; the cursor comes behind it */
	return 0;
}

int cmd_remote(int argc, char **argv)
{
	struct remote *r = calloc(1, sizeof(*r));
	bool is_top = !strcmp(argv[0], "top");
	int exit_code = EXIT_USAGE;

	if (!r)
		return usage_error("out of memory");
	r->fd = r->file = -1;
	r->path = getenv("PINTLE_SOCKET");
	if (!parse(argc, argv, r) && !complete(r) && !check_shape(r) && !talk_to(r))
		exit_code = is_top ? top(r) : print_answer(r);
	if (r->fd >= 0)
		close(r->fd);
	if (r->file >= 0)
		close(r->file);
	free(r);
	return exit_code;
}
