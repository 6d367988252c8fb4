/* SPDX-License-Identifier: MIT
 *
 * vectors.h: the C code's side of checking the model of prove.py.
 */
#ifndef PINTLE_VECTORS_H
#define PINTLE_VECTORS_H

#include "base/base.h"

/* To stdout: @count random inputs for every modelled function, with its outputs. */
void print_vectors(int count, u64 seed);

#endif
