/* SPDX-License-Identifier: MIT
 *
 * expect.h: what annotated programs say of themselves (verdict.h explains), and what their
 * bodies are written with, whatever host they are for.
 */
#ifndef EXPECT_H
#define EXPECT_H

#define EXPECT(text) __attribute__((btf_decl_tag("expect:" text)))
#define ACCEPT EXPECT("accept")
#define REJECT(rule, phrase) EXPECT("reject:" #rule ":" phrase)
#define SAYS(text) EXPECT("says:" text)
#define SAYS_NOT(text) EXPECT("says_not:" text)
#define RETVAL(n) EXPECT("retval:" #n)
#define BOOK(id) EXPECT("book:" id)
#define KERNEL(verdict, why) EXPECT("kernel:" #verdict ":" why)
#define POLICY(which, ...) EXPECT("policy:" #which ":" POLICY_TEXT(__VA_ARGS__, ""))
#define POLICY_TEXT(verdict, phrase, ...) #verdict ":" phrase
#define OBJECT_REJECT(phrase) int object_reject EXPECT("object:" phrase)
#define OBJECT_ACCEPT int object_accept EXPECT("accept")

#define ASM(...) asm volatile(__VA_ARGS__)
/* Operands of ASM: a helper or subprogram by name, the address of a map, a constant. */
#define SYM(name) [name] "i"(name)
#define ADDR(name) [name] "i"(&name)
#define CONST(name, value) [name] "i"(value)

#define __noinline __attribute__((noinline))
#define NULL ((void *)0)

/* Keeps the compiler from knowing what is in @var. */
#define hide(var) asm volatile("" : "+r"(var))

#ifndef LICENSE
#define LICENSE "GPL"
#endif
char _license[] SEC("license") = LICENSE;

#endif
