/* SPDX-License-Identifier: MIT
 *
 * A host looked at from outside: what each request answers, answers in several parts, who
 * may ask and change, and clients that misbehave.
 */
#include "test.h"

#include "fixture/host.h"
#include "run/stress_host.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct pintle_host *host;
static struct pintle_object *object;
static char path[64];
static char text[1 << 17];

static u32 replacements;

static void replaced(void *data, struct pintle_object *old, struct pintle_object *new_)
{
	CHECK(data == &replacements && old == object);
	object = new_;
	replacements++;
}

static void begin_with(bool writable, bool replaceable)
{
	host = test_host_new();
	object = pintle_open(host, test_object("run/inspect.bpf.o"), NULL);
	if (!object || pintle_load(object) || pintle_attach(object))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	snprintf(path, sizeof(path), "/tmp/pintle-test-%d", (int)getpid());
	unlink(path);
	CHECK_EQ(pintle_inspect_open(host, path, PINTLE_OPTS(pintle_inspect_opts,
							     .writable = writable,
							     .replaced = replaceable ? replaced : NULL,
							     .data = &replacements)), 0);
}

static void begin(bool writable)
{
	begin_with(writable, false);
}

static void end(void)
{
	pintle_inspect_close(host);
	CHECK_EQ(access(path, F_OK), -1);
	pintle_close(object);
	test_host_free(host);
}

static int dial(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(at.sun_path, path);
	CHECK(fd >= 0 && !connect(fd, (struct sockaddr *)&at, sizeof(at)));
	return fd;
}

static const char *ask_on(int fd, const char *words, size_t len)
{
	struct pollfd p = {pintle_inspect_fd(host), POLLIN, 0};
	ssize_t got;

	CHECK_EQ(send(fd, words, len, MSG_NOSIGNAL), (ssize_t)len);
	while (poll(&p, 1, 0) == 1 && !pintle_inspect_serve(host))
		;
	got = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[got > 0 ? got : 0] = 0;
	return text;
}

static const char *ask(const char *words, size_t len)
{
	int fd = dial();

	ask_on(fd, words, len);
	close(fd);
	pintle_inspect_serve(host); /* hears that it is gone */
	return text;
}

/* Words with a NUL behind each, but for the last, which the string's own NUL ends. */
#define ASK(words) ask(words, sizeof(words))

TEST(inspect_programs)
{
	begin(false);
	CHECK_EQ(test_hook_p(hook_t, 7), 0);
	CHECK_HAS(ASK("prog\0list\0"), "\"prog\":\"keep\",\"section\":\"hook/p\","
		  "\"state\":\"attached\"");
	CHECK_HAS(text, "\"links\":1,\"drops\":0,\"timed\":0,\"timed_ns\":0,\"runs\":1,");
	CHECK_HAS(text, "\"runs\":1,\"faults\":0}\n{\"end\":true}\n");
	CHECK_HAS(ASK("prog\0show\0inspect.bpf.o/keep\0"), "\"runs\":1");
	CHECK_HAS(ASK("prog\0dump\0keep\0"), "(85) call ");
	CHECK_HAS(text, "\"source\":\"bpf_map_update_elem(&table, &n, &seen, BPF_ANY);\"");
	CHECK_HAS(text, "(95) exit");
	CHECK_STR(ASK("prog\0show\0nothing\0"), "{\"error\":\"no such program\"}\n");
	end();
}

TEST(inspect_values_by_their_types)
{
	begin(false);
	CHECK_EQ(test_hook_p(hook_t, 7), 0);
	CHECK_HAS(ASK("map\0list\0"), "\"map\":\"table\",\"type\":\"hash\",\"key_size\":4,");
	CHECK_HAS(text, "\"count\":1,\"fields\":1}");
	CHECK_STR(ASK("map\0get\0table\0" "7\0"),
		  "{\"key\":7,\"value\":{\"name\":\"seven\",\"t\":null,\"n\":-7,"
		  "\"colour\":\"GREEN\",\"low\":5,\"high\":17,\"known\":true,"
		  "\"at\":[{\"x\":1,\"y\":-1},{\"x\":2,\"y\":-2}],\"raw\":[255,0,1]}}\n"
		  "{\"end\":true}\n");
	CHECK_HAS(ASK("map\0get\0table\0hex:07000000\0"), "\"key\":7");
	CHECK_HAS(ASK("map\0get\0table\0" "8\0"), "{\"error\":\"No such file");
	CHECK_HAS(ASK("map\0get\0table\0" "x\0"), "{\"error\":\"not a key");
	CHECK_HAS(ASK("map\0get\0table\0" "99999999999\0"), "{\"error\":\"not a key");
	CHECK_HAS(ASK("map\0get\0table\0hex:0700\0"), "{\"error\":\"not a key");
	CHECK_HAS(ASK("map\0get\0counts\0" "1\0"), "{\"key\":1,\"value\":[0,0,");
	end();
}

/* More than fits into one answer: every key once. */
TEST(inspect_answers_in_parts)
{
	static bool seen[3000];
	char cursor[64] = "", request[128];
	u32 parts = 0, rows = 0;

	begin(false);
	for (int i = 0; i < 3000; i++)
		CHECK_EQ(test_hook_p(hook_t, i), 0);
	memset(seen, 0, sizeof(seen));
	do {
		int len = snprintf(request, sizeof(request), "map%cdump%ctable%c%s", 0, 0, 0,
				   cursor) + 1;
		const char *at = ask(request, (size_t)len);

		for (; (at = strstr(at, "{\"key\":")); rows++) {
			long key = strtol(at += 7, NULL, 10);

			CHECK(key >= 0 && key < 3000 && !seen[key]);
			seen[key] = true;
		}
		parts++;
		at = strstr(text, "{\"next\":\"");
		snprintf(cursor, sizeof(cursor), "%.*s", at ? 8 : 0, at ? at + 9 : "");
	} while (*cursor);
	CHECK_EQ(rows, 3000);
	CHECK(parts > 2);
	end();
}

TEST(inspect_references)
{
	begin(false);
	CHECK_EQ(test_hook_p(hook_t, 7), 0);
	CHECK_HAS(ASK("refs\0list\0T\0"), "{\"type\":\"T\",\"map\":\"table\",\"key\":\"07000000\","
		  "\"field\":\"seen.t\"");
	CHECK_STR(ASK("refs\0list\0U\0"), "{\"end\":true}\n");
	CHECK_HAS(ASK("refs\0totals\0"), "{\"type\":\"T\",\"of\":\"host\",\"objects\":1}");
	end();
}

TEST(inspect_changes_only_where_allowed)
{
	static const char set[] = "map\0set\0table\0" "7\0hex:00";

	begin(false);
	CHECK_HAS(ASK("map\0delete\0table\0" "7\0"), "lets nobody change anything");
	CHECK_HAS(ask(set, sizeof(set)), "lets nobody change anything");
	end();
	begin(true);
	CHECK_EQ(test_hook_p(hook_t, 7), 0);
	CHECK_HAS(ask(set, sizeof(set)), "not a value of this map");
	CHECK_HAS(ASK("map\0set\0counts\0" "0\0" "1\0"), "per-CPU");
	CHECK_STR(ASK("map\0delete\0table\0" "7\0"), "{\"end\":true}\n");
	CHECK_HAS(ASK("map\0delete\0table\0" "7\0"), "{\"error\":\"No such");
	pintle_drain(host);
	CHECK_HAS(ASK("refs\0totals\0"), "{\"type\":\"T\",\"of\":\"host\",\"objects\":0}");
	end();
}

TEST(inspect_clients_that_misbehave)
{
	char junk[1000];
	int fds[20];

	begin(false);
	CHECK_STR(ASK("bake\0cake\0"), "{\"error\":\"no such request\"}\n");
	CHECK_STR(ask("x", 1), "{\"error\":\"no such request\"}\n");
	memset(junk, 0, sizeof(junk));
	CHECK_STR(ask(junk, sizeof(junk)), "{\"error\":\"no such request\"}\n");
	memset(junk, 'x', sizeof(junk));
	CHECK_STR(ask(junk, sizeof(junk)), "{\"error\":\"no such request\"}\n");
	for (u32 i = 0; i < ARRAY_SIZE(fds); i++) { /* more than there is room for */
		fds[i] = dial();
		CHECK_EQ(pintle_inspect_serve(host), 0);
	}
	CHECK_EQ(send(fds[19], "prog\0list\0", 11, MSG_NOSIGNAL), -1); /* hung up on */
	CHECK_HAS(ask_on(fds[0], "prog\0list\0", 11), "\"end\":true");
	for (u32 i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	CHECK_EQ(pintle_inspect_serve(host), 0);
	CHECK_HAS(ASK("prog\0list\0"), "\"end\":true");
	end();
}

/* Whatever kind a map is of, and whatever is asked of it: an answer, if only that it
 * cannot. */
static void ask_all_of(const char *name)
{
	static const char *const asked[] = {
		"map|list|",
		"map|dump|%s|",
		"map|dump|%s|00000000|",
		"map|dump|%s|zz|",
		"map|get|%s|0|",
		"map|get|%s|",
		"map|get|%s|hex:00000000|",
		"map|get|%s|hex:0000000000000000|",
		"map|set|%s|0|0|",
		"map|set|%s|0|",
		"map|set|%s||hex:00|",
		"map|set|%s|hex:00000000|hex:0000000000000000|",
		"map|delete|%s|0|",
		"map|delete|%s|",
		"map|delete|%s|hex:0000000000000000|",
	};

	for (u32 i = 0; i < ARRAY_SIZE(asked); i++) {
		char words[256];
		size_t len = (size_t)snprintf(words, sizeof(words), asked[i], name);

		for (u32 at = 0; at < len; at++)
			words[at] = words[at] == '|' ? 0 : words[at];
		ask(words, len);
		if (*text != '{' || !strstr(text, "}\n"))
			test_fail(__FILE__, __LINE__, "%s of %s: '%s'", asked[i], name,
				  text);
	}
}

TEST(inspect_maps_of_every_kind)
{
	static const char *const files[] = {"run/stress.bpf.o", "run/stress_calls.bpf.o",
					    "run/stress_ops.bpf.o"};
	u32 maps = 0;

	stress_host_reset();
	host = stress_host_new(NULL);
	CHECK(host);
	snprintf(path, sizeof(path), "/tmp/pintle-kinds-%d", (int)getpid());
	CHECK_EQ(pintle_inspect_open(host, path,
				     PINTLE_OPTS(pintle_inspect_opts, .writable = true)),
		 0);
	for (u32 i = 0; i < ARRAY_SIZE(files); i++) {
		object = pintle_open(host, test_object(files[i]), NULL);
		CHECK(object);
		ask_all_of("hash"); /* not loaded */
		CHECK_EQ(pintle_load(object), 0);
		CHECK_EQ(pintle_attach(object), i < 2 ? 0 : -EBUSY); /* two tables */
		for (int n = 0; n < 20; n++) {
			stress_hook_p(n);
			stress_hook_calls(n);
		}
		for (struct pintle_map *m = NULL; (m = pintle_map_next_in(object, m));
		     maps++)
			ask_all_of(pintle_map_name(m));
		pintle_close(object);
	}
	CHECK(maps > 30);
	pintle_host_free(host);
	CHECK_EQ(stress_counts.live, 0);
	stress_host_reset();
}

/* Whatever the file's rights became: the credentials say who asks. */
TEST(inspect_refuses_other_users)
{
	int status = -1;
	pid_t child;

	if (geteuid())
		SKIP("not root: there is no other user to be");
	begin(false);
	CHECK_EQ(chmod(path, 0666), 0);
	child = fork();
	if (!child) {
		struct sockaddr_un at = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		char byte;

		strcpy(at.sun_path, path);
		if (setuid(65534) || connect(fd, (struct sockaddr *)&at, sizeof(at)))
			_exit(2);
		send(fd, "prog\0list\0", 11, MSG_NOSIGNAL);
		_exit(recv(fd, &byte, 1, 0) <= 0 ? 0 : 1); /* hung up on */
	}
	while (!waitpid(child, &status, WNOHANG)) {
		CHECK_EQ(pintle_inspect_serve(host), 0);
		usleep(1000);
	}
	CHECK_EQ(status, 0);
	CHECK_HAS(ASK("prog\0list\0"), "\"end\":true");
	end();
}

TEST(inspect_opening)
{
	char longest[200];
	struct stat st;

	begin(false);
	CHECK(!stat(path, &st) && S_ISSOCK(st.st_mode));
	CHECK_EQ(st.st_mode & 0777, 0600);
	CHECK_EQ(pintle_inspect_open(host, path, NULL), -EBUSY);
	pintle_inspect_close(host);
	CHECK_EQ(pintle_inspect_fd(host), -EINVAL);
	CHECK_EQ(pintle_inspect_serve(host), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[199] = 0;
	CHECK_EQ(pintle_inspect_open(host, longest, NULL), -EINVAL);
	CHECK_HAS(pintle_host_error(host), "more than 107 bytes");
	CHECK_EQ(pintle_inspect_open(host, "/nonexistent/x", NULL), -ENOENT);
	close(open(path, O_CREAT | O_WRONLY, 0600)); /* somebody's file stays */
	CHECK_EQ(pintle_inspect_open(host, path, NULL), -EADDRINUSE);
	CHECK_EQ(access(path, F_OK), 0);
	unlink(path);
	end();
}

/* What the command prints, while this process answers it; its exit code. */
static int command(const char *args)
{
	char line[512];
	struct pollfd fds[2] = {{pintle_inspect_fd(host), POLLIN, 0}, {-1, POLLIN, 0}};
	size_t n = 0;
	ssize_t got = 1;
	FILE *f;

	snprintf(line, sizeof(line), "PINTLE_SOCKET=%s %s %s 2>&1", path,
		 test_object("../pintle"), args);
	f = popen(line, "re");
	CHECK(f != NULL);
	fds[1].fd = fileno(f);
	while (got > 0 && n < sizeof(text) - 1) {
		CHECK(poll(fds, 2, 10000) > 0);
		if (fds[0].revents)
			pintle_inspect_serve(host);
		if (!fds[1].revents)
			continue;
		got = read(fds[1].fd, text + n, sizeof(text) - 1 - n);
		n += got > 0 ? (size_t)got : 0;
	}
	text[n] = 0;
	return pclose(f) >> 8;
}

TEST(inspect_by_command)
{
	if (access(test_object("../pintle"), X_OK))
		SKIP("no pintle command in this build");
	begin(true);
	CHECK_EQ(test_hook_p(hook_t, 7), 0);
	CHECK_EQ(command("prog"), 0);
	CHECK_HAS(text, "object         prog  section  state     insns");
	CHECK_HAS(text, "inspect.bpf.o  keep  hook/p   attached  ");
	CHECK_EQ(command("map get table 7 --json"), 0);
	CHECK_HAS(text, "{\"key\":7,\"value\":{\"name\":\"seven\",");
	CHECK_EQ(command("map dump table"), 0);
	CHECK_HAS(text, "key  value\n7    {\"name\":\"seven\",");
	CHECK_EQ(command("refs T"), 0);
	CHECK_HAS(text, "T     table  07000000  seen.t");
	CHECK_EQ(command("refs totals"), 0);
	CHECK_HAS(text, "T     host  1");
	CHECK_EQ(command("map delete table 7"), 0);
	CHECK_EQ(command("map delete table 7"), 1);
	CHECK_HAS(text, "pintle: No such file or directory");
	CHECK_EQ(command("top --count 1"), 0);
	CHECK_HAS(text, "runs/s");
	CHECK_EQ(command("map get table"), 2);
	CHECK_EQ(command("map frobnicate"), 2);
	CHECK_EQ(command("prog list --socket /nonexistent/socket"), 2);
	CHECK_HAS(text, "/nonexistent/socket: No such file or directory");
	end();
}

/* ------------------------------------------------------------------ replacing */

/* Memory with what is in @file, cut to @size bytes if that is not 0. */
static int file_in_memory(const char *file, size_t size, bool sealed)
{
	int from = open(file, O_RDONLY | O_CLOEXEC);
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;

	CHECK(from >= 0 && fd >= 0 && !fstat(from, &st));
	CHECK_EQ(sendfile(fd, from, NULL, (size_t)st.st_size), st.st_size);
	close(from);
	if (size)
		CHECK_EQ(ftruncate(fd, (off_t)size), 0);
	if (sealed)
		CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW), 0);
	return fd;
}

/* Asks for a replacement of object @name with @n descriptors beside the request, which are
 * closed here. */
static const char *ask_replace(const char *name, const int *fds, u32 n)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(3 * sizeof(int))];
	} control = {.head = {CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct pollfd p = {pintle_inspect_fd(host), POLLIN, 0};
	char request[256];
	int len = snprintf(request, sizeof(request), "object%creplace%c%s%c", 0, 0, name, 0);
	struct iovec at = {request, (size_t)len};
	struct msghdr msg = {.msg_iov = &at, .msg_iovlen = 1, .msg_control = n ? &control : NULL,
			     .msg_controllen = n ? CMSG_SPACE(n * sizeof(int)) : 0};
	int fd = dial();
	ssize_t got;

	for (u32 i = 0; i < n; i++)
		memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &fds[i], sizeof(int));
	CHECK_EQ(sendmsg(fd, &msg, MSG_NOSIGNAL), len);
	while (poll(&p, 1, 0) == 1 && !pintle_inspect_serve(host))
		;
	got = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[got > 0 ? got : 0] = 0;
	for (u32 i = 0; i < n; i++)
		close(fds[i]);
	close(fd);
	pintle_inspect_serve(host);
	return text;
}

static u32 open_descriptors(void)
{
	u32 n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static const char *replace_by(const char *name, const char *file, size_t size, bool sealed)
{
	int fd = file_in_memory(test_object(file), size, sealed);

	return ask_replace(name, &fd, 1);
}

TEST(inspect_replaces_only_where_allowed)
{
	begin(true);
	CHECK_HAS(replace_by("inspect.bpf.o", "run/inspect.bpf.o", 0, true),
		  "lets nobody replace its objects");
	end();
}

TEST(inspect_replaces_an_object)
{
	begin_with(false, true);
	replacements = 0;
	CHECK_EQ(test_hook_p(hook_t, 7), 0);
	CHECK_HAS(replace_by("inspect.bpf.o", "run/inspect.bpf.o", 0, true),
		  "{\"kind\":\"map\",\"name\":\"table\",\"what\":\"kept\"}\n");
	CHECK_HAS(text, "{\"kind\":\"program\",\"name\":\"keep\",\"what\":\"replaced\"}\n");
	CHECK_HAS(text, "{\"end\":true}\n");
	CHECK_EQ(replacements, 1);
	CHECK_EQ(test_hook_p(hook_t, 8), 0);
	CHECK_HAS(ASK("prog\0show\0keep\0"), "\"runs\":1,");
	CHECK_HAS(ASK("map\0list\0"), "\"count\":2,");
	CHECK_HAS(ASK("hook\0list\0"), "{\"hook\":\"p\",\"links\":1,");
	end();
}

/* Whatever comes, the object that is there runs on, and no descriptor is left. */
TEST(inspect_replacements_that_are_refused)
{
	int pipes[2], two[2];
	u32 before;

	begin_with(false, true);
	replacements = 0;
	CHECK_EQ(test_hook_p(hook_t, 7), 0);
	before = open_descriptors();
	CHECK_HAS(replace_by("nobody.bpf.o", "run/inspect.bpf.o", 0, true), "no such object");
	CHECK_HAS(ask_replace("inspect.bpf.o", NULL, 0), "no object file came");
	CHECK_HAS(replace_by("inspect.bpf.o", "run/inspect.bpf.o", 0, false), "sealed memory");
	CHECK_HAS(replace_by("inspect.bpf.o", "run/inspect.bpf.o", 1000, true), "\"error\"");
	CHECK_HAS(replace_by("inspect.bpf.o", "run/inspect.bpf.o", (64 << 20) + 1, true),
		  "more than 64 MiB");
	CHECK_HAS(replace_by("inspect.bpf.o", "examples/policy/leaky.bpf.o", 0, true), "\"error\"");
	CHECK_EQ(pipe2(pipes, O_CLOEXEC), 0); /* would block whoever reads it */
	CHECK_HAS(ask_replace("inspect.bpf.o", pipes, 1), "sealed memory");
	close(pipes[1]);
	two[0] = file_in_memory(test_object("run/inspect.bpf.o"), 0, true);
	two[1] = file_in_memory(test_object("run/inspect.bpf.o"), 0, true);
	CHECK_HAS(ask_replace("nobody.bpf.o", two, 2), "no such object");
	CHECK_EQ(open_descriptors(), before);
	CHECK_EQ(replacements, 0);
	CHECK_EQ(test_hook_p(hook_t, 8), 0);
	CHECK_HAS(ASK("prog\0show\0keep\0"), "\"runs\":2,");
	end();
}

TEST(inspect_replaces_by_command)
{
	char line[256];

	if (access(test_object("../pintle"), X_OK))
		SKIP("no pintle command in this build");
	begin_with(true, true);
	CHECK_EQ(test_hook_p(hook_t, 7), 0);
	snprintf(line, sizeof(line), "replace %s", test_object("run/inspect.bpf.o"));
	CHECK_EQ(command(line), 0);
	CHECK_HAS(text, "map      table    kept");
	CHECK_HAS(text, "program  keep     replaced");
	snprintf(line, sizeof(line), "replace %s", test_object("examples/policy/leaky.bpf.o"));
	CHECK_EQ(command(line), 1);
	CHECK_HAS(text, "no such object is loaded");
	snprintf(line, sizeof(line), "replace %s --name inspect.bpf.o",
		 test_object("examples/policy/leaky.bpf.o"));
	CHECK_EQ(command(line), 1);
	CHECK_EQ(command("replace /nonexistent.bpf.o"), 2);
	CHECK_HAS(text, "/nonexistent.bpf.o: No such file or directory");
	CHECK_EQ(command("replace"), 2);
	CHECK_EQ(command("hook"), 0);
	CHECK_HAS(text, "hook");
	end();
}

/* A socket whose owner is gone is in nobody's way; one in use is. */
TEST(inspect_left_over_socket)
{
	struct pintle_host *other;

	begin(false);
	other = pintle_host_new(NULL);
	CHECK_EQ(pintle_inspect_open(other, path, NULL), -EADDRINUSE);
	CHECK_EQ(link(path, "/tmp/pintle-test-left-over"), 0);
	pintle_inspect_close(host);
	CHECK_EQ(pintle_inspect_open(other, "/tmp/pintle-test-left-over", NULL), 0);
	pintle_host_free(other);
	CHECK_EQ(access("/tmp/pintle-test-left-over", F_OK), -1);
	end();
}
