# SPDX-License-Identifier: MIT
#
# A short front for meson and ninja.
#
#	make			build everything into build/ (installs nothing)
#	make demo		the packet host and its programs on a capture of real traffic
#	make test		all quick tests and checks: a minute or two
#	make check		the fast loop: tests in one process on cached objects, seconds;
#				make check T=PATTERN runs those whose name or file has it
#	make check-all		what CI does: both compilers, sanitizers, every check
#	make install		library, headers, pkg-config file, command, manual pages
#	make stress		references move in 8 threads while all else comes and goes:
#				STRESS_SECONDS (60) in each build, from SEED on
#	make fuzz		each fuzz target for FUZZ_SECONDS (60)
#	make check-domains	value domains, exhaustively and by proof
#	make check-soundness	SOUNDNESS (100000) random programs from seed SEED (1)
#	make check-timers	TIMERS (1000000) timers: time to arm, cancel, fire; memory
#	make check-replace	replaces an object ROUNDS (1000) times under load
#	make check-kernel	as many before the live kernel, too; prints differences
#	make check-contract	helpers and contexts of --kernel, all of them, before the live one
#	make rulebook		each case of the rule book's section K: verdict, pass or fail
#	make check-jit		interpreter against native code and the kernel's: PROGRAMS (100000)
#				ones from SEED (1) on
#	make bench		benchmarks; prints ratios
#	make format		clang-format what changed against main
#	make clean		remove build directories
#
# demo and test first let tools/deps install missing packages (as root) or name them.
# Variables: PREFIX (/usr/local), DESTDIR, BUILD (build), CC, MESON_FLAGS.
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build
RELEASE = build-release
FUZZ_SECONDS ?= 60
# Only a compiler that was asked for; else meson decides.
ifneq ($(origin CC),default)
export CC
endif
export BUILD

all:
	@tools/configure $(BUILD) $(MESON_FLAGS)
	@ninja -C $(BUILD)

# tools/demo finds the build directory in $BUILD.
demo: deps all
	@tools/need tools/demo "the demo"
	@tools/demo $(DEMO_FLAGS)

test: deps all
	@tools/run-tests $(BUILD)

check:
	@tools/configure $(BUILD) $(MESON_FLAGS)
	@ninja -C $(BUILD) --quiet
	@$(BUILD)/test/pintle-test $(T)

check-all:
	@.ci/run

# A release build of its own: assertions and the checkers between stages stay out, and a
# newer compiler's new warnings do not stop it.
install:
	@tools/configure $(RELEASE) --buildtype=release -Dwerror=false \
		-Dtests=false -Dprefix=$(PREFIX)
	@ninja -C $(RELEASE) --quiet
	@DESTDIR="$(DESTDIR)" meson install -C $(RELEASE) --no-rebuild --quiet
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi
	@echo "installed in $(DESTDIR)$(PREFIX)"

fuzz:
	@tools/deps ci
	@tools/fuzz -t $(FUZZ_SECONDS) $(T)

stress:
	@tools/stress -t $(or $(STRESS_SECONDS),60) $(if $(SEED),-s $(SEED))

check-domains: all
	@tools/deps ci
	@tools/check-domains

check-kernel: all
	@ninja -C $(BUILD) --quiet test/differ
	@$(BUILD)/test/differ -s $(or $(SEED),1) -n $(or $(SOUNDNESS),1000)
	@tools/check-objects -b $(BUILD) -s $(or $(SEED),1)

check-contract: all
	@ninja -C $(BUILD) --quiet test/kcompare
	@$(BUILD)/test/kcompare

check-soundness: all
	@ninja -C $(BUILD) --quiet test/check-soundness
	@$(BUILD)/test/check-soundness -s $(or $(SEED),1) -n $(or $(SOUNDNESS),100000)

# The acceptance of replacement: a thousand under load from all threads.
check-replace: all
	@PINTLE_ROUNDS=$(or $(ROUNDS),1000) $(BUILD)/test/pintle-test race_replace_under_load

# A million timers: what arming, cancelling and firing one takes in order of deadlines.
check-timers: all
	@PINTLE_TIMERS=$(or $(TIMERS),1000000) PINTLE_TEST_TIMES=1 \
		$(BUILD)/test/pintle-test deadlines_of_very_many_timers

# Every case of the rule book's section K by its id, and what is missing.
rulebook: all
	@tools/rulebook $(BUILD)

check-jit: all
	@$(BUILD)/test/jit-diff $(PROGRAMS) $(SEED)
	@ninja -C $(BUILD) --quiet test/jit-voice
	@$(BUILD)/test/jit-diff --blind $(or $(PROGRAMS),100000) $(or $(SEED),1)
	@$(BUILD)/test/jit-voice 3000 $(or $(SEED),1) || [ $$? = 77 ]

bench: deps
	@tools/need bench/run "the benchmarks"
	@bench/run

format:
	@tools/format

clean:
	rm -rf $(BUILD) build-release build-clang build-asan build-tsan build-fuzz

deps:
	@tools/deps test

.PHONY: all demo test check check-all rulebook install fuzz stress check-domains check-soundness check-replace check-kernel check-contract check-jit bench format clean deps
