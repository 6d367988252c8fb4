/* SPDX-License-Identifier: MIT
 *
 * gdb.c: the JIT interface of GDB and LLDB ("JIT Compilation Interface" in GDB's manual),
 * where the host asks for it (opts.gdb). A debugger finds two symbols by name, reads the
 * list of object files that the one describes, and stops in the other whenever the list
 * changes.
 *
 * The names and the layout are the interface's, hence the one mutable global here. Other
 * compilers in the process have lists of their own under the same names; a debugger looks
 * into each library, and ours stays ours by not being exported.
 */
#include "run/inspect/gdb.h"

#include <pthread.h>

enum gdb_action { GDB_NOTHING, GDB_REGISTER, GDB_UNREGISTER };

struct gdb_entry {
	struct gdb_entry *next, *prev;
	const void *file;
	u64 size;
};

struct jit_descriptor {
	u32 version, action;
	struct gdb_entry *relevant, *first;
};

extern struct jit_descriptor __jit_debug_descriptor;
void __jit_debug_register_code(void);

struct jit_descriptor __jit_debug_descriptor = {.version = 1};
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;

/* Debuggers stop here. */
__attribute__((noinline)) void __jit_debug_register_code(void)
{
	__asm__ volatile("" ::: "memory");
}

static void tell(enum gdb_action action, struct gdb_entry *entry)
{
	__jit_debug_descriptor.action = action;
	__jit_debug_descriptor.relevant = entry;
	__jit_debug_register_code();
	__jit_debug_descriptor.action = GDB_NOTHING;
	__jit_debug_descriptor.relevant = NULL;
}

static void link_first(struct gdb_entry *entry)
{
	entry->next = __jit_debug_descriptor.first;
	if (entry->next)
		entry->next->prev = entry;
	__jit_debug_descriptor.first = entry;
}

static void unlink_entry(struct gdb_entry *entry)
{
	if (entry->prev)
		entry->prev->next = entry->next;
	else
		__jit_debug_descriptor.first = entry->next;
	if (entry->next)
		entry->next->prev = entry->prev;
}

void gdb_tell(struct pintle_object *object)
{
	struct gdb_entry *entry;

	if (!object->host->opts.gdb)
		return;
	entry = calloc(1, sizeof(*entry));
	if (entry)
		entry->file = gdb_elf(object, &entry->size);
	if (!entry || !entry->file) {
		host_log(object->host, PINTLE_LOG_NOTE,
			 "native code is not shown to debuggers: there is none, or no "
			 "memory");
		free(entry);
		return;
	}
	object->gdb = entry;
	pthread_mutex_lock(&list_lock);
	link_first(entry);
	tell(GDB_REGISTER, entry);
	pthread_mutex_unlock(&list_lock);
}

void gdb_forget(struct pintle_object *object)
{
	struct gdb_entry *entry = object->gdb;

	if (!entry)
		return;
	pthread_mutex_lock(&list_lock);
	unlink_entry(entry);
	tell(GDB_UNREGISTER, entry);
	pthread_mutex_unlock(&list_lock);
	object->gdb = NULL;
	free((void *)(uintptr_t)entry->file);
	free(entry);
}
