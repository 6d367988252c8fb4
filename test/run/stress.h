/* SPDX-License-Identifier: MIT
 *
 * stress.h: what the stress test's host (stress_host.c), its threads (stress.c) and its
 * programs (stress.bpf.c) share.
 */
#ifndef TEST_RUN_STRESS_H
#define TEST_RUN_STRESS_H

/* All that is to happen, by name; P_: by programs, H_: by the host. A row of the table of
 * what happened; the test fails when one of them never did. */
#define STRESS_OPS(X)                                                                                                             \
	X(P_MOVE)                                                                                                                 \
	X(P_MOVE_INSN) X(P_NEW) X(P_GET_SLOT) X(P_GET_LOADED) X(P_SEE) X(P_UNTRUSTED) X(P_NATIVE) X(                              \
		P_BARE) X(P_GLOBAL) X(P_UPDATE) X(P_UPDATE_LOCKED) X(P_DELETE) X(P_STALE) X(P_STORAGE) X(P_STORAGE_DELETE)        \
		X(P_INNER) X(P_LIST_PUSH) X(P_LIST_POP) X(P_TREE_ADD) X(P_TREE_REMOVE) X(P_SHARED) X(P_OWNER) X(                  \
			P_PERCPU) X(P_FOR_EACH) X(P_TAIL) X(P_RING) X(P_USER_RING) X(P_QUEUE) X(P_SLEEP) X(P_SLEEP_SECTION)       \
			X(P_TIMER_START) X(P_TIMER_CANCEL) X(P_TIMER_FIRE) X(P_WORK) X(P_CALLBACK_MOVE) X(                        \
				P_METERED) X(P_CUT) X(P_THROW) X(P_DYNPTR) X(P_DYNPTR_ITEM) X(P_DYNPTR_RING)                      \
				X(P_ARENA) X(P_LINKED) X(P_COOKIE) X(P_SIGNAL) X(P_SIGNAL_SEE) X(                                 \
					P_TABLE) X(P_TABLE_MOVE) X(P_TABLE_SLEEP) X(H_RUN) X(H_RUN_ONE)                           \
					X(H_LOOKUP) X(H_UPDATE) X(H_DELETE) X(H_TAKE) X(H_WALK) X(                                \
						H_LOOKUP_BATCH) X(H_TAKE_BATCH) X(H_UPDATE_BATCH) X(H_DELETE_BATCH)               \
						X(H_SET_INNER) X(H_FREE_MAP) X(H_SET_PROG) X(H_UNSET_PROG) X(                     \
							H_REFS) X(H_TOTALS) X(H_DEFER) X(H_STORAGE_FREE) X(H_RING) X(H_USER_RING) \
							X(H_DRAIN) X(H_LEAVE) X(H_SECTION) X(H_LOAD) X(H_ATTACH) X(               \
								H_DETACH) X(H_CLOSE) X(H_CLOSE_IN_SECTION) X(H_THREAD_END)        \
								X(H_TIMERS) X(H_WORK) X(H_ARENA) X(                               \
									H_STATS) X(H_REPLACE) X(H_REPLACE_LEAVE)                  \
									X(H_LINK) X(H_LINK_UPDATE) X(H_LINK_DEAD) X(              \
										H_UNLINK) X(H_TABLE_ATTACH) X(H_TABLE_REPLACE)    \
										X(H_TABLE_CLOSE) X(H_TABLE_CALL) X(               \
											H_TABLE_HOLD) X(H_ASK)                    \
											X(H_ANSWER) X(H_GARBAGE) X(               \
												H_HANG_UP) X(H_SERVE)             \
												X(H_RING_WAIT) X(                 \
													H_SIGNAL)                 \
													X(H_FORK)

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

/* A table says by each of its functions, and by its number, which of the two it is. */
struct stress_ops {
	int (*sign)(struct item *item, int n);
	struct item *(*swap)(struct item *item); /* gives one back, or NULL */
	int (*nap)(int n);
	int number;
};

#endif
