/* SPDX-License-Identifier: MIT
 *
 * proto.h: the vocabulary of helpers.def and linux/helper_rows.def: short names of
 * arguments, flags and sets of map types. A memory argument's size is the argument after
 * it.
 */
#ifndef PINTLE_ABI_PROTO_H
#define PINTLE_ABI_PROTO_H

#include "abi/abi.h"

#define MAP           {ARG_MAP}
#define KEY           {ARG_MAP_KEY, ARGF_RDONLY}
#define VALUE         {ARG_MAP_VALUE, ARGF_RDONLY}
#define VALUE_OR_NULL {ARG_MAP_VALUE, ARGF_RDONLY | ARGF_NULL}
#define VALUE_OUT     {ARG_MAP_VALUE, ARGF_UNINIT | ARGF_WRITE}
/* A filter's question goes in where others' answer comes out. */
#define VALUE_PEEK    {ARG_MAP_VALUE, ARGF_UNINIT | ARGF_WRITE}
#define RD            {ARG_MEM, ARGF_RDONLY}
#define RD_OR_NULL    {ARG_MEM, ARGF_RDONLY | ARGF_NULL}
#define WR            {ARG_MEM, ARGF_UNINIT | ARGF_WRITE}
#define WR_OR_NULL    {ARG_MEM, ARGF_UNINIT | ARGF_WRITE | ARGF_NULL}
#define INOUT         {ARG_MEM, ARGF_WRITE}
#define FIXED(n)      {ARG_MEM, ARGF_RDONLY, n}
#define SIZE          {ARG_SIZE}
#define SIZE_OR_ZERO  {ARG_SIZE_OR_ZERO}
#define ALLOC_SIZE    {ARG_CONST_SIZE}
#define ANY           {ARG_ANYTHING}
#define ZERO          {ARG_ZERO}
#define ANY_OR_UNSET  {ARG_ANYTHING, ARGF_UNSET}
#define CTX           {ARG_CTX}
#define CTX_OR_NULL   {ARG_CTX, ARGF_NULL}
#define FUNC          {ARG_FUNC}
#define STACK_OR_NULL {ARG_STACK, ARGF_NULL}
#define SLOT          {ARG_SLOT}
#define OWNED_OR_NULL {ARG_BTF_ANY, ARGF_NULL | ARGF_RELEASE}
#define CONST_STR     {ARG_CONST_STR}
#define LONG          {ARG_LONG, ARGF_UNINIT | ARGF_WRITE}
#define INT_INOUT     {ARG_INT, ARGF_WRITE}
#define LOCK          {ARG_SPIN_LOCK}
#define TIMER         {ARG_TIMER}
#define PERCPU        {ARG_PERCPU}
#define BTF(name)     {ARG_BTF, .type = name}
#define BTF_OR_NULL(name) {ARG_BTF, ARGF_NULL, .type = name}
#define SOCK          {ARG_SOCK}
#define SOCK_BTF      {ARG_SOCK_BTF}
#define SOCK_BTF_OR_NULL {ARG_SOCK_BTF, ARGF_NULL}
#define SOCKET_OR_NULL {ARG_SOCKET, ARGF_NULL}
#define OWNED_SOCK    {ARG_SOCK_BTF, ARGF_RELEASE}
#define RECORD        {ARG_RINGBUF_MEM, ARGF_RELEASE}
#define DYNPTR        {ARG_DYNPTR}
#define WR_DYNPTR     {ARG_DYNPTR, ARGF_WRITE}
#define DYNPTR_DATA   {ARG_DYNPTR_DATA, ARGF_UNINIT | ARGF_WRITE}
#define NEW_DYNPTR    {ARG_DYNPTR, ARGF_UNINIT}
#define RECORD_DYNPTR {ARG_DYNPTR, ARGF_RELEASE | ARGF_RINGBUF}
#define NEW_RECORD_DYNPTR {ARG_DYNPTR, ARGF_UNINIT | ARGF_RINGBUF}

#define GPL           HELPERF_GPL
#define CHANGES       HELPERF_CHANGES_PACKET
#define PACKET_MEM    HELPERF_PACKET_MEM

#define M(type)     BIT64(MAP_##type)
#define ARRAYS      (M(ARRAY) | M(PERCPU_ARRAY))
#define HASHES      (M(HASH) | M(PERCPU_HASH) | M(LRU_HASH) | M(LRU_PERCPU_HASH))
#define ELEM_MAPS   (ARRAYS | HASHES | M(LPM_TRIE))
#define SOCK_MAPS   (M(SOCKMAP) | M(SOCKHASH))
#define LOOKUP_MAPS                                                                      \
	(ELEM_MAPS | SOCK_MAPS | M(ARRAY_OF_MAPS) | M(HASH_OF_MAPS) | M(XSKMAP) |        \
	 M(DEVMAP) | M(DEVMAP_HASH))
#define UPDATE_MAPS (ELEM_MAPS | SOCK_MAPS)
#define PUSH_MAPS   (M(QUEUE) | M(STACK) | M(BLOOM_FILTER))
#define POP_MAPS    (M(QUEUE) | M(STACK))
#define EACH_MAPS   (ARRAYS | HASHES)
#define PERCPU_MAPS (M(PERCPU_ARRAY) | M(PERCPU_HASH) | M(LRU_PERCPU_HASH))

#endif
