/* SPDX-License-Identifier: MIT
 *
 * live.c: interfaces, through libpcap. Reading needs CAP_NET_RAW; without it the error
 * says so. A quiet interface still lets time go on: every millisecond without a frame
 * next() gives the time alone.
 */
#include "engine.h"

#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUFFER = 16 << 20 };

struct live {
	struct source source;
	const char *iface;
	pcap_t *pcap;
};

struct injector {
	const char *iface;
	pcap_t *pcap;
};

static int explain(const char *iface, pcap_t *pcap, int err)
{
	const char *words = pcap_geterr(pcap);

	if (err == PCAP_ERROR_PERM_DENIED || err == PCAP_ERROR_PROMISC_PERM_DENIED)
		return complain("%s: no permission to open the interface; run as root, or "
				"give the program CAP_NET_RAW (setcap cap_net_raw+ep)",
				iface);
	if (err == PCAP_ERROR_NO_SUCH_DEVICE)
		return complain("%s: no such interface", iface);
	if (err == PCAP_ERROR_IFACE_NOT_UP)
		return complain("%s: the interface is down", iface);
	return complain("%s: %s%s%s", iface, pcap_statustostr(err), *words ? ": " : "",
			words);
}

static int activate(const char *iface, pcap_t *pcap)
{
	int err;

	pcap_set_snaplen(pcap, MAX_FRAME);
	pcap_set_promisc(pcap, 1);
	pcap_set_timeout(pcap, 1);
	pcap_set_buffer_size(pcap, BUFFER);
	pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
	err = pcap_activate(pcap);
	if (err < 0)
		return explain(iface, pcap, err);
	if (pcap_datalink(pcap) != DLT_EN10MB)
		return complain("%s: link type %s; this reads Ethernet", iface,
				pcap_datalink_val_to_name(pcap_datalink(pcap)));
	return 0;
}

static pcap_t *open_pcap(const char *iface)
{
	char words[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_create(iface, words);

	if (!pcap) {
		complain("%s: %s", iface, words);
		return NULL;
	}
	if (activate(iface, pcap)) {
		pcap_close(pcap);
		return NULL;
	}
	return pcap;
}

static uint64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t stamp(pcap_t *pcap, const struct pcap_pkthdr *header)
{
	bool ns = pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO;

	return (uint64_t)header->ts.tv_sec * 1000000000 +
	       (uint64_t)header->ts.tv_usec * (ns ? 1 : 1000);
}

/* A frame that is there, or else the first to come within a millisecond. */
static int wait_for_frame(struct live *live, struct pcap_pkthdr **header,
			  const uint8_t **data)
{
	struct pollfd fd = {.fd = pcap_get_selectable_fd(live->pcap), .events = POLLIN};
	int got = pcap_next_ex(live->pcap, header, data);

	if (got || poll(&fd, 1, 1) <= 0)
		return got;
	return pcap_next_ex(live->pcap, header, data);
}

static int live_next(struct source *source, struct record *r)
{
	struct live *live = (struct live *)source;
	struct pcap_pkthdr *header;
	int got = stopped ? PCAP_ERROR_BREAK : wait_for_frame(live, &header, &r->data);

	if (got == 1) {
		r->time = stamp(live->pcap, header);
		r->len = header->caplen;
		r->wire_len = header->len;
		return 1;
	}
	if (got == 0) {
		r->time = clock_now();
		return 2;
	}
	return stopped ? 0 : explain(live->iface, live->pcap, got);
}

static void live_close(struct source *source)
{
	struct live *live = (struct live *)source;

	if (live->pcap)
		pcap_close(live->pcap);
	free(live);
}

static int no_waiting(struct live *live)
{
	char words[PCAP_ERRBUF_SIZE];

	if (!pcap_setnonblock(live->pcap, 1, words))
		return 0;
	return complain("%s: %s", live->iface, words);
}

struct source *live_open(const char *iface)
{
	struct live *live = calloc(1, sizeof(*live));

	if (!live) {
		complain("out of memory");
		return NULL;
	}
	live->source = (struct source){live_next, NULL, NULL, live_close};
	live->source.nanoseconds = true;
	live->source.ifindex = if_nametoindex(iface);
	live->iface = iface;
	live->pcap = open_pcap(iface);
	if (!live->pcap || no_waiting(live)) {
		live_close(&live->source);
		return NULL;
	}
	return &live->source;
}

struct injector *live_inject_open(const char *iface)
{
	struct injector *injector = calloc(1, sizeof(*injector));

	if (!injector) {
		complain("out of memory");
		return NULL;
	}
	injector->iface = iface;
	injector->pcap = open_pcap(iface);
	if (!injector->pcap) {
		free(injector);
		return NULL;
	}
	return injector;
}

int live_inject(struct injector *injector, const void *data, uint32_t len)
{
	if (pcap_inject(injector->pcap, data, len) == (int)len)
		return 0;
	return complain("%s: a frame of %u bytes cannot be sent: %s", injector->iface, len,
			pcap_geterr(injector->pcap));
}

void live_inject_close(struct injector *injector)
{
	pcap_close(injector->pcap);
	free(injector);
}
