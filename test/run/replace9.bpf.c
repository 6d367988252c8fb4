/* SPDX-License-Identifier: MIT */
#define VARIANT 9
#include "replace.bpf.c"
