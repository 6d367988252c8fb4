/* SPDX-License-Identifier: MIT
 *
 * btf_value.h: bytes as the values of their type, for people and their tools.
 */
#ifndef PINTLE_BTF_VALUE_H
#define PINTLE_BTF_VALUE_H

#include "base/out.h"
#include "btf/btf.h"

/*
 * The @size bytes at @data, of any alignment, as JSON: structs and unions as objects,
 * characters that are all printable as a string, enumerators by name, pointers as null or
 * "hidden". What the type does not describe, or @type 0, is a string of hex digits.
 */
void btf_value_json(struct out *out, const struct btf *btf, u32 type, const void *data,
		    u32 size);

/*
 * The value of @size bytes that @text says: a number (decimal, 0x hex, negative) where the
 * type is one, or all bytes as hex digits ("hex:0a0b"). False: neither.
 */
bool btf_value_parse(const struct btf *btf, u32 type, const char *text, void *data, u32 size);

#endif
