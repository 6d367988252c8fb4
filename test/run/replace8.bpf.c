/* SPDX-License-Identifier: MIT */
#define VARIANT 8
#include "replace.bpf.c"
