/* SPDX-License-Identifier: MIT
 *
 * stale.bpf.c: refused: the frame is used after it was sent.
 */
#include "../parse.h"

__u64 bytes;

SEC("xdp")
int stale(struct xdp_md *ctx)
{
	struct frame *frame = frame_take(ctx);

	if (!frame)
		return XDP_DROP;
	frame_send(frame);
	bytes += frame->len; /* whoever it belongs to now */
	return XDP_DROP;
}
