/* SPDX-License-Identifier: MIT */
#define VARIANT 7
#include "replace.bpf.c"
