/* SPDX-License-Identifier: MIT
 *
 * verdict.h: for annotated programs. A program carries its expectation:
 *
 *	REJECT(REF_LEAK, "Unreleased reference") BOOK("F01")
 *	P(never_put) { ... }
 *
 *  ACCEPT                the program loads
 *  REJECT(RULE, PHRASE)  it is refused by RULE, and the log holds PHRASE
 *  SAYS(TEXT), SAYS_NOT(TEXT)
 *			  the explanation of a refusal holds the text, or does not
 *  BOOK("X05")           the case of the rule book's section K that it is
 *  POLICY(kernel, accept)
 *  POLICY(kernel, reject, PHRASE)
 *			  another verdict under the policy of --kernel (src/abi/linux), or
 *			  with one switch of it (test/run/verdicts.c), for the same host
 *  RETVAL(n)             one run of it (hook arguments: a T and 1; else an empty context
 *			  with a packet of 64 zero bytes) gives n
 *  KERNEL(verdict, why)  the live kernel's verdict (accept, reject) where it is another
 *			  one, and why that is right (test/run/kernel.sh)
 *
 * Every file is an object of its own; a declaration that must fail is in a file whose
 * OBJECT_REJECT(PHRASE) says what opening or loading it complains of. BOOK and POLICY may
 * stand before it, and before OBJECT_ACCEPT; of these the object is opened only.
 *
 * P(name) and Q(name) define a program of the hooks p and q (q's may sleep), with t and n
 * for arguments; XDP(name) and CTX(name) programs of the types xdp and test_ctx; _ASM in
 * the name: the body is one ASM(). Compiled with -DFOR_KERNEL, the programs are the same
 * for the live kernel, as far as it has the like (test/kernel).
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

#ifdef FOR_KERNEL
#include "../kernel/kernel.h"
#else
#include "../fixture/types.h"
#endif

#include "expect.h"

#ifndef FOR_KERNEL
#define P(name) SEC("hook/p") int BPF_PROG(name, struct T *t, int n)
#define Q(name) SEC("hook.s/q") int BPF_PROG(name, struct T *t, int n)
#define SIG(name) SEC("hook/s") int BPF_PROG(name, struct T *t, int n)
#define P_ASM(name) SEC("hook/p") __attribute__((naked)) int name(void)
#endif

#define XDP(name) SEC("xdp") int name(struct xdp_md *ctx)
#define CTX(name) SEC("test_ctx") int name(struct test_ctx *ctx)

/* The same in assembly, as P_ASM: the body is one ASM(). */
#define XDP_ASM(name) SEC("xdp") __attribute__((naked)) int name(void)

/* Tags of global functions' arguments that older copies of libbpf's headers lack. */
#ifndef __arg_nonnull
#define __arg_nonnull __attribute__((btf_decl_tag("arg:nonnull")))
#define __arg_nullable __attribute__((btf_decl_tag("arg:nullable")))
#define __arg_trusted __attribute__((btf_decl_tag("arg:trusted")))
#endif

#ifndef FOR_KERNEL
extern int t_use(struct T *t) __ksym;
extern int t_read(struct T *t) __ksym;
extern int m_count(struct M *m) __ksym;
extern int t_nap(struct T *t) __ksym;
#endif
extern struct T *t_find(int id) __ksym;
extern struct T *t_get(struct T *t) __ksym;
extern void t_put(struct T *t) __ksym;
extern struct T *t_own(struct T *t) __ksym;
extern struct T *t_kget(struct T **slot) __ksym;
extern struct U *u_find(int id) __ksym;
extern void u_put(struct U *u) __ksym;
extern int u_rcu(struct U *u) __ksym;
/* Those that single rules need. */
extern int b_use(struct B *b) __ksym;
extern struct T *t_peek(int id) __ksym;
extern struct T *t_seen(int id) __ksym;
extern void t_merge(struct T *t, struct T *into) __ksym;
extern int t_ctx(struct test_ctx *ctx) __ksym;
extern int t_only(int n) __ksym;
extern int t_maybe(struct T *t__nullable) __ksym;
extern struct T *t_kget_one(struct T *slot) __ksym;
extern struct T *t_kget_name(struct T **slot, const char *name, int name__sz) __ksym;
extern struct B *b_kget(struct B **slot) __ksym;
extern int sum_of(long n) __ksym;
extern int fill_bytes(void *buf, int buf__sz) __ksym;
extern int add_const(int n__k) __ksym;
extern void *t_room(struct T *t, int rdwr_buf_size) __ksym;
extern const void *t_text(struct T *t, int rdonly_buf_size) __ksym;
extern int t_any(struct T *t) __ksym;
extern int text_len(const char *text__str) __ksym;
extern int m_first(struct M *m) __ksym;
extern int m_write(struct M *m) __ksym;
extern const char *name_of(int id) __ksym;

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;

#endif
