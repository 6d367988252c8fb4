/* SPDX-License-Identifier: MIT
 *
 * verdict.h: for annotated programs. A program carries its expectation:
 *
 *	SEC("hook/p") REJECT(REF_LEAK, "Unreleased reference") BOOK("F01")
 *	int BPF_PROG(never_put, struct T *t, int n) { ... }
 *
 *  ACCEPT                the program loads
 *  REJECT(RULE, PHRASE)  it is refused by RULE, and the log holds PHRASE
 *  BOOK("X05")           the case of the rule book's section K that it is
 *  RETVAL(n)             one run of it (hook arguments: a T and 1) gives n
 *
 * Every file is an object of its own; a declaration that must fail is in a file whose
 * OBJECT_REJECT(PHRASE) says what opening it complains of.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

#include "../fixture/types.h"

#define EXPECT(text) __attribute__((btf_decl_tag("expect:" text)))
#define ACCEPT EXPECT("accept")
#define REJECT(rule, phrase) EXPECT("reject:" #rule ":" phrase)
#define RETVAL(n) EXPECT("retval:" #n)
#define BOOK(id) EXPECT("book:" id)
#define OBJECT_REJECT(phrase)                                                            \
	int object_reject __attribute__((btf_decl_tag("expect:object:" phrase)))

#define NULL ((void *)0)

char _license[] SEC("license") = "GPL";

extern struct T *t_find(int id) __ksym;
extern struct T *t_get(struct T *t) __ksym;
extern void t_put(struct T *t) __ksym;
extern struct T *t_own(struct T *t) __ksym;
extern int t_use(struct T *t) __ksym;
extern int t_read(struct T *t) __ksym;
extern int m_count(struct M *m) __ksym;
extern struct T *t_kget(struct T **slot) __ksym;
extern int t_nap(struct T *t) __ksym;
extern struct U *u_find(int id) __ksym;
extern void u_put(struct U *u) __ksym;
extern int u_rcu(struct U *u) __ksym;

#endif
