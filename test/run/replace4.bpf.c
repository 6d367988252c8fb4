/* SPDX-License-Identifier: MIT */
#define VARIANT 4
#include "replace.bpf.c"
