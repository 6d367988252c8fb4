/* SPDX-License-Identifier: MIT
 *
 * upload.c: see upload.h. A client hands a file over whole, as a descriptor of memory that
 * it has sealed: there is nothing to wait for, nothing half sent, and nothing that changes
 * while it is verified. Any other descriptor might block whoever reads it.
 */
#include "run/inspect/upload.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_all(struct upload *up, int fd)
{
	for (size_t at = 0; at < up->size;) {
		ssize_t got = pread(fd, (char *)up->data + at, up->size - at, (off_t)at);

		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	return true;
}

const char *upload_open(struct upload *up, int fd)
{
	const int seals = F_SEAL_WRITE | F_SEAL_SHRINK;
	struct stat st;
	int sealed = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);

	*up = (struct upload){NULL, 0};
	if (fd < 0)
		return "no object file came with the request";
	if (sealed < 0 || (sealed & seals) != seals || fstat(fd, &st))
		return "the object file must be sealed memory (memfd_create)";
	if (st.st_size <= 0 || st.st_size > UPLOAD_MAX)
		return "the object file is empty, or has more than 64 MiB";
	up->size = (size_t)st.st_size;
	up->data = malloc(up->size);
	if (up->data && read_all(up, fd))
		return NULL;
	upload_close(up);
	return "the object file could not be read, or there is no memory for it";
}

void upload_close(struct upload *up)
{
	free(up->data);
	up->data = NULL;
}

int upload_replace(const struct upload *up, struct pintle_object *old,
		   const struct pintle_replace_opts *opts,
		   void (*replaced)(void *data, struct pintle_object *old,
				    struct pintle_object *new_),
		   void *data)
{
	const struct pintle_open_opts open = {.size = sizeof(open), .name = old->image->name,
					      .tags = old->tags,
					      .lenient_decl = old->lenient_decl,
					      .tables = old->tables};
	struct pintle_replace_opts o = *opts;
	struct pintle_object *object;
	int err;

	object = pintle_open_mem(old->host, up->data, up->size, &open);
	if (!object)
		return -EINVAL;
	o.leave_old = true;
	err = pintle_object_replace(old, object, &o);
	if (err) {
		pintle_close(object);
		return err;
	}
	replaced(data, old, object);
	pintle_close(old);
	return 0;
}
