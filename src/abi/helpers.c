/* SPDX-License-Identifier: MIT
 *
 * helpers.c: the table of helper prototypes, from helpers.def, looked up by number.
 */
#include "abi/abi.h"

/* The vocabulary of helpers.def. A memory argument's size is the argument after it. */
#define MAP           {ARG_MAP}
#define KEY           {ARG_MAP_KEY, ARGF_RDONLY}
#define VALUE         {ARG_MAP_VALUE, ARGF_RDONLY}
#define RD            {ARG_MEM, ARGF_RDONLY}
#define RD_OR_NULL    {ARG_MEM, ARGF_RDONLY | ARGF_NULL}
#define WR            {ARG_MEM, ARGF_UNINIT | ARGF_WRITE}
#define WR_OR_NULL    {ARG_MEM, ARGF_UNINIT | ARGF_WRITE | ARGF_NULL}
#define SIZE          {ARG_SIZE}
#define SIZE_OR_ZERO  {ARG_SIZE_OR_ZERO}
#define ANY           {ARG_ANYTHING}
#define ANY_OR_UNSET  {ARG_ANYTHING, ARGF_UNSET}
#define CTX           {ARG_CTX}
#define FUNC          {ARG_FUNC}
#define STACK_OR_NULL {ARG_STACK, ARGF_NULL}
#define SLOT          {ARG_SLOT}
#define OWNED_OR_NULL {ARG_BTF_ANY, ARGF_NULL | ARGF_RELEASE}
#define CONST_STR     {ARG_CONST_STR}
#define LONG          {ARG_LONG, ARGF_UNINIT | ARGF_WRITE}
#define LOCK          {ARG_SPIN_LOCK}

#define ARRAYS      (BIT64(MAP_ARRAY) | BIT64(MAP_PERCPU_ARRAY))
#define HASHES                                                                           \
	(BIT64(MAP_HASH) | BIT64(MAP_PERCPU_HASH) | BIT64(MAP_LRU_HASH) |                \
	 BIT64(MAP_LRU_PERCPU_HASH))
#define ELEM_MAPS   (ARRAYS | HASHES | BIT64(MAP_LPM_TRIE))
#define EACH_MAPS   (ARRAYS | HASHES)
#define PERCPU_MAPS                                                                      \
	(BIT64(MAP_PERCPU_ARRAY) | BIT64(MAP_PERCPU_HASH) | BIT64(MAP_LRU_PERCPU_HASH))

enum { LAST_HELPER = 211 };

static const struct abi_helper helpers[LAST_HELPER + 1] = {
#define HELPER(number, name_, ...)                                                       \
	[number] = {.id = number, .name = "bpf_" #name_, __VA_ARGS__},
#include "abi/helpers.def"
#undef HELPER
};

static const char *const names[] = {
#define N(name) "bpf_" #name,
#include "abi/helper_names.def"
#undef N
};

const struct abi_helper *abi_helper(u32 id)
{
	return id <= LAST_HELPER && helpers[id].name ? &helpers[id] : NULL;
}

const struct abi_helper *abi_helper_by_name(const char *name)
{
	for (u32 id = 0; id <= LAST_HELPER; id++)
		if (helpers[id].name && !strcmp(helpers[id].name, name))
			return &helpers[id];
	return NULL;
}

const char *abi_helper_name(u32 id)
{
	return id && id < ARRAY_SIZE(names) ? names[id] : NULL;
}
