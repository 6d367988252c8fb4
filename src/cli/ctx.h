/* SPDX-License-Identifier: MIT
 *
 * ctx.h: the run-time contexts of the command's own program types.
 */
#ifndef PINTLE_CLI_CTX_H
#define PINTLE_CLI_CTX_H

#include "base/base.h"

struct cli_xdp { /* behind struct xdp_md */
	u8 *data, *data_end, *data_meta;
	u32 ifindex, queue, egress;
};

#endif
