/* SPDX-License-Identifier: MIT */
#define VARIANT 6
#include "replace.bpf.c"
