/* SPDX-License-Identifier: MIT
 *
 * string.h: functions for programs on strings that may not be there (string.c).
 */
#ifndef PINTLE_RUN_STRING_H
#define PINTLE_RUN_STRING_H

#include "base/base.h"

s64 string_cmp(u64 a, u64 b);
s64 string_casecmp(u64 a, u64 b);
s64 string_chr(u64 s, u64 c);
s64 string_nchr(u64 s, u64 n, u64 c);
s64 string_chrnul(u64 s, u64 c);
s64 string_rchr(u64 s, u64 c);
s64 string_len(u64 s);
s64 string_nlen(u64 s, u64 n);
s64 string_spn(u64 s, u64 accept);
s64 string_cspn(u64 s, u64 reject);
s64 string_str(u64 s, u64 part);
s64 string_nstr(u64 s, u64 part, u64 n);

#endif
