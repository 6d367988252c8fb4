/* SPDX-License-Identifier: MIT */
#define VARIANT 1
#include "replace.bpf.c"
