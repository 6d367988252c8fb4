/* SPDX-License-Identifier: MIT
 *
 * stress.h: what the stress test's host (stress_host.c), its threads (stress.c) and its
 * programs (stress.bpf.c) share.
 */
#ifndef TEST_RUN_STRESS_H
#define TEST_RUN_STRESS_H

/* All that is to happen, by name; P_: by programs, H_: by the host. A row of the table of
 * what happened; the test fails when one of them never did. */
#define STRESS_OPS(X)                                                                    \
	X(P_MOVE) X(P_MOVE_INSN) X(P_NEW) X(P_GET_SLOT) X(P_GET_LOADED) X(P_SEE)         \
	X(P_UNTRUSTED) X(P_NATIVE) X(P_BARE) X(P_GLOBAL) X(P_UPDATE) X(P_UPDATE_LOCKED)  \
	X(P_DELETE) X(P_STALE) X(P_STORAGE) X(P_STORAGE_DELETE) X(P_INNER) X(P_LIST_PUSH) \
	X(P_LIST_POP) X(P_TREE_ADD) X(P_TREE_REMOVE) X(P_SHARED) X(P_OWNER) X(P_PERCPU)  \
	X(P_FOR_EACH) X(P_TAIL) X(P_RING) X(P_USER_RING) X(P_QUEUE) X(P_SLEEP)           \
	X(P_SLEEP_SECTION)                                                               \
	X(H_RUN) X(H_RUN_ONE) X(H_LOOKUP) X(H_UPDATE) X(H_DELETE) X(H_TAKE) X(H_WALK)    \
	X(H_LOOKUP_BATCH) X(H_TAKE_BATCH) X(H_UPDATE_BATCH) X(H_DELETE_BATCH)            \
	X(H_SET_INNER) X(H_FREE_MAP) X(H_SET_PROG) X(H_UNSET_PROG) X(H_REFS) X(H_TOTALS) \
	X(H_DEFER) X(H_STORAGE_FREE) X(H_RING) X(H_USER_RING) X(H_DRAIN) X(H_LEAVE)      \
	X(H_SECTION) X(H_LOAD) X(H_ATTACH) X(H_DETACH) X(H_CLOSE) X(H_CLOSE_IN_SECTION)  \
	X(H_THREAD_END)

#define STRESS_ENUM(name) name,
enum stress_op { STRESS_OPS(STRESS_ENUM) STRESS_NOPS };
#undef STRESS_ENUM

enum { STRESS_KEYS = 12, STRESS_MAGIC = 0x51e55, STRESS_POISON = 0xdeadbeef };

#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

/* Three classes of host objects; all begin alike. `twin` is ~magic as long as it lives. */
struct item { /* deferred-put */
	unsigned int magic, twin;
	int refs;
	int key;
};

struct nat { /* RCU-native */
	unsigned int magic, twin;
	int refs;
	int key;
};

struct bare { /* no promise: read when owned only */
	unsigned int magic, twin;
	int refs;
	int key;
};

#ifdef __bpf__
#pragma clang attribute pop
#endif

#endif
