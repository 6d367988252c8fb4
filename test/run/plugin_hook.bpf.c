/* SPDX-License-Identifier: MIT
 *
 * A program of the plugin's hook.
 */
struct value {
	long n;
};
#include "plugin.h"

SEC("hook/plug_hook") int BPF_PROG(run, int n)
{
	return n;
}
