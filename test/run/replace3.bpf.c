/* SPDX-License-Identifier: MIT */
#define VARIANT 3
#include "replace.bpf.c"
