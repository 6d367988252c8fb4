/* SPDX-License-Identifier: MIT
 *
 * host.c: clients register an area that they keep up to date; a program reads it when the
 * host asks about them. An area may vanish at any time.
 */
#include "../example.h"
#include "client.h"

#include <string.h>
#include <sys/mman.h>

enum { CLIENTS = 3, MEMORY = 65536 };

PINTLE_HOOK(int, on_register, struct client *, c)
PINTLE_HOOK(int, on_ask, int, id)

int main(int argc, char **argv)
{
	struct pintle_host *host = host_new();
	struct pintle_space *space[CLIENTS];
	struct pintle_object *obj;
	char *memory[CLIENTS];

	check(host, pintle_member(host, "client", "area", PINTLE_MEMBER_USER));
	check(host, pintle_hook_add(host, on_register));
	check(host, pintle_hook_add(host, on_ask));
	obj = load(host, argc, argv);
	for (int i = 0; i < CLIENTS; i++) {
		struct client c = {i, NULL};

		memory[i] = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory[i] == MAP_FAILED)
			return 1;
		c.area = (struct area *)(memory[i] + 4096);
		c.area->state = (unsigned int)i * 100;
		strcpy(c.area->name, "client");
		space[i] = pintle_space_range(host, memory[i], MEMORY);
		check(host, !space[i]);
		pintle_space_enter(host, space[i]); /* whose call it is */
		on_register(&c);
	}
	pintle_space_enter(host, NULL);
	for (int i = 0; i < CLIENTS; i++)
		((struct area *)(memory[i] + 4096))->state++;
	printf("states %d %d %d\n", on_ask(0), on_ask(1), on_ask(2));
	munmap(memory[1], MEMORY);	  /* without a word */
	pintle_space_close(space[2]); /* as it should be */
	printf("states %d %d %d\n", on_ask(0), on_ask(1), on_ask(2));
	pintle_close(obj);
	pintle_host_free(host);
	munmap(memory[0], MEMORY);
	munmap(memory[2], MEMORY);
	return 0;
}
