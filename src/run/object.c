/* SPDX-License-Identifier: MIT
 *
 * object.c: objects: open and close, attach and detach, finding what is in them.
 *
 * An object that is closed goes away when no run can see its programs: at once after a
 * grace period, or, where the caller must not wait (inside a run or a read section),
 * deferred past one.
 */
#include "run/async/async.h"
#include "run/field/local.h"
#include "run/map/outer.h"
#include "run/ops/ops.h"
#include "run/run.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------ open */

static void object_link(struct pintle_object *object)
{
	struct pintle_host *host = object->host;

	object->next = host->objects;
	object->pprev = &host->objects;
	if (object->next)
		object->next->pprev = &object->next;
	host->objects = object;
}

static void object_unlink(struct pintle_object *object)
{
	*object->pprev = object->next;
	if (object->next)
		object->next->pprev = object->pprev;
}

static int handles_make(struct pintle_object *object)
{
	const struct image *image = object->image;

	object->progs = calloc(image->nprogs + 1, sizeof(object->progs[0]));
	object->maps = calloc(image->nmaps + 1, sizeof(object->maps[0]));
	if (!object->progs || !object->maps)
		return host_oom(object->host);
	for (u32 i = 0; i < image->nprogs; i++) {
		object->progs[i].object = object;
		object->progs[i].image = &image->progs[i];
		object->progs[i].host_id = NO_HOST;
	}
	for (u32 i = 0; i < image->nmaps; i++) {
		object->maps[i].object = object;
		object->maps[i].image = &image->maps[i];
	}
	return 0;
}

/* What the loader noted goes to the host's log line by line. */
static void tell_notes(struct pintle_host *host, const char *text)
{
	char line[512];

	while (*text) {
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		host_log(host, PINTLE_LOG_NOTE, line);
		text += len + (text[len] == '\n');
	}
}

static void object_discard(void *arg)
{
	struct pintle_object *object = arg;

	object_unload(object);
	image_free(object->image);
	log_free(&object->log);
	free(object->progs);
	free(object->maps);
	free(object->only);
	free(object->tables);
	free(object);
}

static struct pintle_object *object_blank(struct pintle_host *host)
{
	struct pintle_object *object = calloc(1, sizeof(*object));

	if (!object)
		return NULL;
	object->host = host;
	atomic_init(&object->pins, 1);
	object->log.level = LOG_NOTE;
	return object;
}

static int object_read(struct pintle_object *object, const void *data, size_t size,
		const struct image_opts *opts)
{
	int err = image_open(&object->log, &object->host->abi, data, size, opts,
			     &object->image);

	if (err)
		return host_fail(object->host, err, "%s",
				 *object->log.error ? object->log.error : strerror(-err));
	tell_notes(object->host, log_text(&object->log));
	object->tags = (enum pintle_tags)opts->tags;
	object->lenient_decl = opts->lenient_decl;
	object->tables = opts->tables ? strdup(opts->tables) : NULL;
	if (opts->tables && !object->tables)
		return host_oom(object->host);
	return handles_make(object);
}

static struct pintle_object *open_data(struct pintle_host *host, const void *data,
				       size_t size, const struct pintle_open_opts *opts,
				       const char *name)
{
	struct pintle_object *object;
	struct image_opts io = {.name = opts->name ? opts->name : name,
				.tags = (enum tag_era)opts->tags,
				.tables = opts->tables,
				.lenient_decl = opts->lenient_decl};

	if (host_check(host))
		return NULL;
	object = object_blank(host);
	if (!object) {
		host_oom(host);
		return NULL;
	}
	if (object_read(object, data, size, &io)) {
		object_discard(object);
		return NULL;
	}
	object_link(object);
	return object;
}

struct pintle_object *pintle_open_mem(struct pintle_host *host, const void *data,
				      size_t size, const struct pintle_open_opts *opts)
{
	struct pintle_open_opts o;

	opts_copy(&o, sizeof(o), opts, opts ? opts->size : 0);
	if (data && (unsigned int)o.tags <= PINTLE_TAGS_V1) {
		struct pintle_object *object;
		int state;

		config_begin(host, &state);
		object = open_data(host, data, size, &o, "object");
		config_end(host, state);
		return object;
	}
	host_fail(host, -EINVAL, "open: %s", data ? "unknown era of tags" : "no data given");
	return NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Maps a whole file; -errno when that fails. An empty file is no object. */
static int file_map(const char *path, void **data, size_t *size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (S_ISDIR(st.st_mode))
		err = -EISDIR;
	else if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		err = -EINVAL;
	if (!err) {
		*size = (size_t)st.st_size;
		*data = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
		err = *data == MAP_FAILED ? -errno : 0;
	}
	close(fd);
	return err;
}

struct pintle_object *pintle_open(struct pintle_host *host, const char *path,
				  const struct pintle_open_opts *opts)
{
	struct pintle_open_opts o;
	struct pintle_object *object;
	void *data = NULL;
	size_t size = 0;
	int err = path ? file_map(path, &data, &size) : -EINVAL;

	if (err) {
		host_fail(host, err, "%s: %s", path ? path : "open: no path given",
			  err == -EINVAL ? "not an object file" : strerror(-err));
		return NULL;
	}
	opts_copy(&o, sizeof(o), opts, opts ? opts->size : 0);
	if (!o.name)
		o.name = base_name(path);
	o.size = sizeof(o);
	object = pintle_open_mem(host, data, size, &o);
	munmap(data, size);
	return object;
}

/* ------------------------------------------------------------------ attach */

int pintle_prog_attach(struct pintle_prog *prog)
{
	struct pintle_host *host = prog->object->host;
	int err, state;

	TRY(host_check(host));
	config_begin(host, &state);
	err = prog_link(prog);
	config_end(host, state);
	defer_safe_point(host);
	return err;
}

void pintle_prog_detach(struct pintle_prog *prog)
{
	struct pintle_host *host = prog->object->host;
	int state;

	if (host->torn)
		return;
	config_begin(host, &state);
	prog_unlink(prog);
	config_end(host, state);
	defer_safe_point(host);
}

static bool wants_hook(const struct pintle_prog *prog)
{
	const struct abi_prog_type *type = prog->image->type;

	return prog->code && !prog->nlinks && type && !strncmp(type->name, "hook/", 5);
}

/* All or nothing: what this call attached is detached when one fails. */
static int attach_hooks(struct pintle_object *object)
{
	u32 n = object->image->nprogs, i;
	int err = 0;
	bool *done = calloc(n + 1, sizeof(done[0]));

	if (!done)
		return host_oom(object->host);
	for (i = 0; i < n && !err; i++) {
		if (!wants_hook(&object->progs[i]))
			continue;
		err = prog_link(&object->progs[i]);
		done[i] = !err;
	}
	for (i = 0; i < n && err; i++)
		if (done[i])
			prog_unlink(&object->progs[i]);
	free(done);
	return err;
}

/* Tables first: these say what of them was attached here. */
static int attach_all(struct pintle_object *object)
{
	bool *tables;
	int err;

	if (!object->loaded)
		return host_fail(object->host, -EINVAL, "%s is not loaded",
				 object->image->name);
	tables = calloc(object->image->nmaps + 1, sizeof(tables[0]));
	if (!tables)
		return host_oom(object->host);
	err = ops_attach_all(object, tables);
	if (!err)
		err = attach_hooks(object);
	if (err)
		ops_detach_these(object, tables);
	free(tables);
	return err;
}

int pintle_attach(struct pintle_object *object)
{
	int err, state;

	TRY(host_check(object->host));
	config_begin(object->host, &state);
	err = attach_all(object);
	config_end(object->host, state);
	return err;
}

static void detach_all(struct pintle_object *object)
{
	ops_detach_these(object, NULL);
	for (u32 i = 0; i < object->image->nprogs; i++)
		prog_unlink(&object->progs[i]);
}

void pintle_detach(struct pintle_object *object)
{
	int state;

	if (object->host->torn)
		return;
	config_begin(object->host, &state);
	detach_all(object);
	config_end(object->host, state);
	defer_safe_point(object->host);
}

/* From the lists of the host: no run finds it any more. */
static void object_retire(struct pintle_object *object)
{
	int state;

	config_begin(object->host, &state);
	detach_all(object);
	/* release: pairs with the acquire in prog_array.c */
	atomic_store_explicit(&object->retired, true, memory_order_release);
	prog_arrays_forget(object->host, object);
	asyncs_close(object);
	object_unlink(object);
	config_end(object->host, state);
}

void object_pin(struct pintle_object *object)
{
	atomic_fetch_add_explicit(&object->pins, 1, memory_order_relaxed);
}

void object_unpin(struct pintle_object *object)
{
	struct pintle_host *host = object->host;

	/* release and acquire: what others did with it comes before it goes */
	if (atomic_fetch_sub_explicit(&object->pins, 1, memory_order_acq_rel) != 1 || host->torn)
		return;
	if (slot_current() || run_read_ongoing()) {
		defer_call(host, object_discard, object);
		return;
	}
	if (object->loaded)
		grace_wait(host);
	object_discard(object);
	defer_safe_point(host);
}

void pintle_close(struct pintle_object *object)
{
	if (!object || object->host->torn)
		return;
	object_retire(object);
	object_unpin(object);
}

/* ------------------------------------------------------------------ load */

int pintle_load(struct pintle_object *object)
{
	return pintle_load_with(object, NULL);
}

int pintle_load_with(struct pintle_object *object, const struct pintle_load_opts *opts)
{
	struct pintle_load_opts o;
	int err, state;

	TRY(host_check(object->host));
	opts_copy(&o, sizeof(o), opts, opts ? opts->size : 0);
	config_begin(object->host, &state);
	err = object_load(object, &o, NULL);
	config_end(object->host, state);
	defer_safe_point(object->host);
	return err;
}

const char *pintle_object_log(const struct pintle_object *object)
{
	return log_text(&object->log);
}

/* ------------------------------------------------------------------ finding */

struct pintle_prog *pintle_prog_find(const struct pintle_object *object, const char *name)
{
	for (u32 i = 0; i < object->image->nprogs; i++)
		if (!strcmp(object->image->progs[i].name, name))
			return &object->progs[i];
	return NULL;
}

struct pintle_prog *pintle_prog_next(const struct pintle_object *object,
				     const struct pintle_prog *after)
{
	size_t i = after ? (size_t)(after - object->progs) + 1 : 0;

	return i < object->image->nprogs ? &object->progs[i] : NULL;
}

struct pintle_map *pintle_map_find(const struct pintle_object *object, const char *name)
{
	for (u32 i = 0; i < object->image->nmaps; i++)
		if (!strcmp(object->image->maps[i].name, name))
			return &object->maps[i];
	return NULL;
}

struct pintle_map *pintle_map_next_in(const struct pintle_object *object,
				      const struct pintle_map *after)
{
	size_t i = after ? (size_t)(after - object->maps) + 1 : 0;

	return i < object->image->nmaps ? &object->maps[i] : NULL;
}
