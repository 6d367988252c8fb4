/* SPDX-License-Identifier: MIT */
#define VARIANT 2
#include "replace.bpf.c"
