/* SPDX-License-Identifier: MIT
 *
 * string.h: functions for programs on strings that may not be there (string.c). What a program
 * does not pass is ignored; the bounds are lowering's.
 */
#ifndef PINTLE_RUN_STRING_H
#define PINTLE_RUN_STRING_H

#include "base/base.h"

s64 string_cmp(u64 a, u64 b, u64 c, u64 room_a, u64 room_b);
s64 string_casecmp(u64 a, u64 b, u64 c, u64 room_a, u64 room_b);
s64 string_chr(u64 s, u64 c, u64 b, u64 room);
s64 string_nchr(u64 s, u64 n, u64 c, u64 room);
s64 string_chrnul(u64 s, u64 c, u64 b, u64 room);
s64 string_rchr(u64 s, u64 c, u64 b, u64 room);
s64 string_len(u64 s, u64 a, u64 b, u64 room);
s64 string_nlen(u64 s, u64 n, u64 b, u64 room);
s64 string_spn(u64 s, u64 accept, u64 c, u64 room, u64 room_accept);
s64 string_cspn(u64 s, u64 reject, u64 c, u64 room, u64 room_reject);
s64 string_str(u64 s, u64 part, u64 c, u64 room, u64 room_part);
s64 string_nstr(u64 s, u64 part, u64 n, u64 room, u64 room_part);

#endif
