/* SPDX-License-Identifier: MIT
 *
 * fault.c: loads that cannot crash (rule book B45-B47, J11): a load through a pointer that
 * may dangle gives 0 instead of a fault.
 *
 * Each load is made by one machine instruction, whose address is in `sites` or, in native
 * code, in the tables of jit/mem.c. The handler of SIGSEGV and SIGBUS resumes a fault there at its fix-up, which
 * answers 0; any other fault belongs to the host and goes to whoever was installed before,
 * with the same arguments, as if we were not there: a default action kills with the
 * original cause, an ignored signal stays ignored, a one-shot handler is used once.
 *
 * Invariants:
 *  - the instructions are assembler: no sanitizer instruments them
 *  - the handler looks at nothing but its arguments and constants, so it nests, runs on
 *    any thread and on any stack, alternate or not
 *  - a signal that somebody sent (si_code <= 0) is never taken for a fault
 *
 * Signals are per process: handlers are installed with the first host that wants them and
 * removed with the last, unless somebody chained on top of us: then they stay, forwarding.
 * A host that wants none reads by process_vm_readv() on itself: slower, no signal.
 */
#include "run/memory/fault.h"
#include "jit/mem.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__x86_64__)
#define HAVE_STUBS 1

/* struct fault_value comes back in rax:rdx. */
#define LOAD_STUB(size, insn)                                                            \
	__asm__(".pushsection .text\n"                                                   \
		".globl fault_try" #size "\n"                                            \
		".hidden fault_try" #size "\n"                                           \
		".type fault_try" #size ", @function\n"                                  \
		"fault_try" #size ":\n"                                                  \
		".cfi_startproc\n"                                                       \
		"endbr64\n"                                                              \
		"xorl %edx, %edx\n"                                                      \
		".globl fault_site" #size ", fault_fix" #size "\n"                       \
		".hidden fault_site" #size ", fault_fix" #size "\n"                      \
		"fault_site" #size ":\n"                                                 \
		insn "\n"                                                                \
		"ret\n"                                                                  \
		"fault_fix" #size ":\n"                                                  \
		"xorl %eax, %eax\n"                                                      \
		"movl $1, %edx\n"                                                        \
		"ret\n"                                                                  \
		".cfi_endproc\n"                                                         \
		".size fault_try" #size ", .-fault_try" #size "\n"                       \
		".popsection\n");                                                        \
	extern const char fault_site##size[], fault_fix##size[];

LOAD_STUB(1, "movzbl (%rdi), %eax")
LOAD_STUB(2, "movzwl (%rdi), %eax")
LOAD_STUB(4, "movl (%rdi), %eax")
LOAD_STUB(8, "movq (%rdi), %rax")

/* size_t fault_try_copy(to, from, size): bytes copied; rcx says what is left. */
__asm__(".pushsection .text\n"
	".globl fault_try_copy, fault_site_copy, fault_fix_copy\n"
	".hidden fault_try_copy, fault_site_copy, fault_fix_copy\n"
	".type fault_try_copy, @function\n"
	"fault_try_copy:\n"
	".cfi_startproc\n"
	"endbr64\n"
	"movq %rdx, %rcx\n"
	"fault_site_copy:\n"
	"rep movsb\n"
	"fault_fix_copy:\n"
	"movq %rdx, %rax\n"
	"subq %rcx, %rax\n"
	"ret\n"
	".cfi_endproc\n"
	".size fault_try_copy, .-fault_try_copy\n"
	".popsection\n");
extern const char fault_site_copy[], fault_fix_copy[];
size_t fault_try_copy(void *to, const void *from, size_t size);

/* struct fault_value store(addr, value): .bad. */
#define STORE_STUB(size, insn)                                                           \
	__asm__(".pushsection .text\n"                                                   \
		".globl fault_put" #size ", fault_put_site" #size ", fault_put_fix" #size "\n" \
		".hidden fault_put" #size ", fault_put_site" #size ", fault_put_fix" #size "\n" \
		".type fault_put" #size ", @function\n"                                  \
		"fault_put" #size ":\n"                                                  \
		".cfi_startproc\n"                                                       \
		"endbr64\n"                                                              \
		"xorl %edx, %edx\n"                                                      \
		"fault_put_site" #size ":\n"                                             \
		insn "\n"                                                                \
		"ret\n"                                                                  \
		"fault_put_fix" #size ":\n"                                              \
		"movl $1, %edx\n"                                                        \
		"ret\n"                                                                  \
		".cfi_endproc\n"                                                         \
		".size fault_put" #size ", .-fault_put" #size "\n"                       \
		".popsection\n");                                                        \
	extern const char fault_put_site##size[], fault_put_fix##size[];                 \
	struct fault_value fault_put##size(u64 addr, u64 value);

STORE_STUB(1, "movb %sil, (%rdi)")
STORE_STUB(2, "movw %si, (%rdi)")
STORE_STUB(4, "movl %esi, (%rdi)")
STORE_STUB(8, "movq %rsi, (%rdi)")

/* struct fault_value cas(addr, old, value). */
#define CAS_STUB(size, mov, insn)                                                        \
	__asm__(".pushsection .text\n"                                                   \
		".globl fault_cas" #size ", fault_cas_site" #size ", fault_cas_fix" #size "\n" \
		".hidden fault_cas" #size ", fault_cas_site" #size ", fault_cas_fix" #size "\n" \
		".type fault_cas" #size ", @function\n"                                  \
		"fault_cas" #size ":\n"                                                  \
		".cfi_startproc\n"                                                       \
		"endbr64\n"                                                              \
		mov "\n"                                                                 \
		"fault_cas_site" #size ":\n"                                             \
		"lock " insn "\n"                                                        \
		"movl $0, %edx\n"                                                        \
		"ret\n"                                                                  \
		"fault_cas_fix" #size ":\n"                                              \
		"xorl %eax, %eax\n"                                                      \
		"movl $1, %edx\n"                                                        \
		"ret\n"                                                                  \
		".cfi_endproc\n"                                                         \
		".size fault_cas" #size ", .-fault_cas" #size "\n"                       \
		".popsection\n");                                                        \
	extern const char fault_cas_site##size[], fault_cas_fix##size[];                 \
	struct fault_value fault_cas##size(u64 addr, u64 old, u64 value);

CAS_STUB(4, "movl %esi, %eax", "cmpxchgl %edx, (%rdi)")
CAS_STUB(8, "movq %rsi, %rax", "cmpxchgq %rdx, (%rdi)")

static const struct {
	const char *at, *fix;
} sites[] = {
	{fault_site1, fault_fix1}, {fault_site2, fault_fix2},
	{fault_site4, fault_fix4}, {fault_site8, fault_fix8},
	{fault_site_copy, fault_fix_copy},
	{fault_put_site1, fault_put_fix1}, {fault_put_site2, fault_put_fix2},
	{fault_put_site4, fault_put_fix4}, {fault_put_site8, fault_put_fix8},
	{fault_cas_site4, fault_cas_fix4}, {fault_cas_site8, fault_cas_fix8},
};

static bool fault_is_ours(const siginfo_t *info, ucontext_t *uc)
{
	greg_t *pc = &uc->uc_mcontext.gregs[REG_RIP];
	uintptr_t native;

	if (info->si_code <= 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(sites); i++) {
		if (*pc != (greg_t)(uintptr_t)sites[i].at)
			continue;
		*pc = (greg_t)(uintptr_t)sites[i].fix;
		return true;
	}
	native = jit_resume((uintptr_t)*pc);
	if (native)
		*pc = (greg_t)native;
	return native != 0;
}
#else
#define HAVE_STUBS 0

static bool fault_is_ours(const siginfo_t *info, ucontext_t *uc)
{
	return false;
}
#endif

/* ------------------------------------------------------------------ handlers */

enum { NR_FAULTS = 2 };
static const int fault_signals[NR_FAULTS] = {SIGSEGV, SIGBUS};

static struct {
	pthread_mutex_t lock;
	u32 users;
	bool installed;
	struct sigaction before[NR_FAULTS]; /* written before our handler can run */
} handlers = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct sigaction *handler_before(int sig)
{
	return &handlers.before[sig == SIGBUS];
}

/* The kernel would kill: restore its action, and either run into the same fault again or
 * send the signal again, which arrives when we return. */
static void default_action(int sig, const siginfo_t *info)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};

	sigaction(sig, &dfl, NULL);
	if (info->si_code <= 0)
		raise(sig);
}

static void forward(int sig, siginfo_t *info, void *uc)
{
	struct sigaction *before = handler_before(sig);
	struct sigaction to = *before;

	if (!(to.sa_flags & SA_SIGINFO) && to.sa_handler == SIG_IGN && info->si_code <= 0)
		return;
	/* A fault cannot be ignored: the kernel kills then, too. */
	if (!(to.sa_flags & SA_SIGINFO) &&
	    (to.sa_handler == SIG_DFL || to.sa_handler == SIG_IGN)) {
		default_action(sig, info);
		return;
	}
	if (to.sa_flags & SA_RESETHAND)
		*before = (struct sigaction){.sa_handler = SIG_DFL};
	if (to.sa_flags & SA_SIGINFO)
		to.sa_sigaction(sig, info, uc);
	else
		to.sa_handler(sig);
}

static void on_fault(int sig, siginfo_t *info, void *uc)
{
	int saved = errno;

	if (!fault_is_ours(info, uc))
		forward(sig, info, uc);
	errno = saved;
}

static int install_one(int i)
{
	struct sigaction ours = {.sa_sigaction = on_fault};
	struct sigaction *before = &handlers.before[i];

	if (sigaction(fault_signals[i], NULL, before))
		return -errno;
	/* As the one before wants to be called: which signals blocked, whether again. */
	ours.sa_mask = before->sa_mask;
	ours.sa_flags = SA_SIGINFO | SA_ONSTACK |
			(before->sa_flags & (SA_NODEFER | SA_RESTART));
	return sigaction(fault_signals[i], &ours, NULL) ? -errno : 0;
}

static bool still_ours(int i)
{
	struct sigaction now;

	return !sigaction(fault_signals[i], NULL, &now) && now.sa_flags & SA_SIGINFO &&
	       now.sa_sigaction == on_fault;
}

/* Whether both could be removed; one that is buried under another handler must stay, and
 * then both do. */
static bool remove_handlers(void)
{
	for (int i = 0; i < NR_FAULTS; i++)
		if (!still_ours(i))
			return false;
	for (int i = 0; i < NR_FAULTS; i++)
		sigaction(fault_signals[i], &handlers.before[i], NULL);
	return true;
}

static int install_handlers(void)
{
	int err = 0;

	for (int i = 0; i < NR_FAULTS && !err; i++)
		err = install_one(i);
	return err;
}

int fault_init(struct pintle_host *host)
{
	int err = 0;

	if (!HAVE_STUBS)
		host->opts.no_fault_handler = true;
	if (host->opts.no_fault_handler)
		return 0;
	pthread_mutex_lock(&handlers.lock);
	if (!handlers.installed) {
		err = install_handlers();
		handlers.installed = !err;
	}
	if (!err)
		handlers.users++;
	pthread_mutex_unlock(&handlers.lock);
	return err;
}

void fault_free(struct pintle_host *host)
{
	if (host->opts.no_fault_handler)
		return;
	pthread_mutex_lock(&handlers.lock);
	if (!--handlers.users && remove_handlers())
		handlers.installed = false;
	pthread_mutex_unlock(&handlers.lock);
}

/* ------------------------------------------------------------------ checked copies */

/* Copies up to @size bytes page by page (the call itself does not split a range). */
static size_t copy_checked(void *to, const void *from, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), done = 0;
	pid_t self = getpid();

	while (done < size) {
		const char *at = (const char *)from + done;
		size_t room = page - (uintptr_t)at % page;
		size_t n = room < size - done ? room : size - done;
		struct iovec local = {(char *)to + done, n};
		struct iovec remote = {(void *)(uintptr_t)at, n};

		if (process_vm_readv(self, &local, 1, &remote, 1, 0) != (ssize_t)n)
			break;
		done += n;
	}
	return done;
}

static struct fault_value load_checked(const void *addr, u32 size)
{
	struct fault_value v = {0};

	if (copy_checked(&v.value, addr, size) != size)
		v = (struct fault_value){0, 1};
	return v;
}

/* Whether the code that runs now is of a host that has the handlers. */
static bool by_stub(const struct slot_ctx *slot)
{
	return HAVE_STUBS && slot && !slot->safe_by_copy;
}

static struct fault_value load_any(const struct slot_ctx *slot, const void *addr, u32 size)
{
	if (unlikely(fault_never_mapped((u64)(uintptr_t)addr)))
		return (struct fault_value){0, 1};
	if (unlikely(!by_stub(slot)))
		return load_checked(addr, size);
#if HAVE_STUBS
	switch (size) {
	case 1:
		return fault_try1(addr);
	case 2:
		return fault_try2(addr);
	case 4:
		return fault_try4(addr);
	case 8:
		return fault_try8(addr);
	}
#endif
	return load_checked(addr, size);
}

u64 fault_load_on(struct slot_ctx *slot, u64 addr, u32 size)
{
	struct fault_value v = load_any(slot, (const void *)(uintptr_t)addr, size);

	if (unlikely(v.bad))
		slot->faults++;
	return v.value;
}

u64 fault_load(const void *addr, u32 size, bool *ok)
{
	struct fault_value v = load_any(slot_current(), addr, size);

	*ok = !v.bad;
	return v.value;
}

size_t fault_copy(void *to, const void *from, size_t size)
{
	u64 first = (u64)(uintptr_t)from;

	if (!size || fault_never_mapped(first))
		return 0;
	/* Up to the end of the lower half: what is behind it faults without an address. */
	if (size > BIT64(47) - first)
		size = (size_t)(BIT64(47) - first);
#if HAVE_STUBS
	if (likely(by_stub(slot_current())))
		return fault_try_copy(to, from, size);
#endif
	return copy_checked(to, from, size);
}

/* ------------------------------------------------------------------ arenas */

bool fault_store(u64 addr, u64 value, u32 size)
{
#if HAVE_STUBS
	switch (size) {
	case 1:
		return !fault_put1(addr, value).bad;
	case 2:
		return !fault_put2(addr, value).bad;
	case 4:
		return !fault_put4(addr, value).bad;
	case 8:
		return !fault_put8(addr, value).bad;
	}
#endif
	return false;
}

struct fault_value fault_cas(u64 addr, u64 old, u64 value, u32 size)
{
#if HAVE_STUBS
	return size == 4 ? fault_cas4(addr, old, value) : fault_cas8(addr, old, value);
#else
	return (struct fault_value){0, 1};
#endif
}
