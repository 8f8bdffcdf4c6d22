# The front door. Each target installs what it needs (tools/bootstrap), builds
# below $(BUILD), and does its job. CMake does the work; see CMakePresets.json.
BUILD ?= $(CURDIR)/build
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PREFIX ?= /usr/local
DESTDIR ?=
export BUILD JOBS PREFIX

.PHONY: all build demo check bench bench-spawn bench-trace format lint fuzz install clean help
.DEFAULT_GOAL := build

help:
	@echo "make demo      set up, build, and run a small real project inside the boundary"
	@echo "make check     set up, build with gcc, clang and the sanitizers, lint, and run every test"
	@echo "make           build $(BUILD)/release/cordon"
	@echo "make install   install it below PREFIX (default /usr/local), DESTDIR respected"
	@echo "make bench     measure a launch against a bare spawn and bubblewrap"
	@echo "make bench-spawn  the same for a spawn by libcordon, from a small and a large program"
	@echo "make bench-trace  measure what --trace adds to a make and an untar"
	@echo "make lint      clang-tidy, cppcheck, the house rules, the manual page"
	@echo "make format    clang-format over all C sources"
	@echo "make fuzz      run each fuzz target for FUZZ_SECONDS (default 60)"
	@echo "make clean     remove $(BUILD)"

all: build

build:
	@tools/bootstrap build
	@tools/build release

demo: build
	@tools/demo $(BUILD)/release/cordon

check:
	@tools/bootstrap check
	@tools/check

bench: build
	@tools/bootstrap bench
	@tools/build release bench-launch
	@$(BUILD)/release/bench-launch --cordon $(BUILD)/release/cordon $(BENCH_ARGS)

bench-spawn: build
	@tools/bootstrap bench
	@tools/build release bench-spawn
	@$(BUILD)/release/bench-spawn --warden $(BUILD)/release/cordon-warden $(BENCH_ARGS)

bench-trace: build
	@tools/bootstrap bench
	@tools/build release bench-trace
	@$(BUILD)/release/bench-trace --cordon $(BUILD)/release/cordon $(BENCH_ARGS)

lint:
	@tools/bootstrap check
	@tools/build dev
	@tools/lint $(BUILD)/dev

format:
	@tools/bootstrap check
	@find src programs include examples tests bench samples -name '*.[ch]' 2>/dev/null | xargs clang-format -i

fuzz:
	@tools/bootstrap fuzz
	@tools/fuzz

# Installs what `make` built: no building as root.
install:
	@test -x $(BUILD)/release/cordon || { echo "install: nothing built yet: run make first" >&2; exit 1; }
	@grep -qxF "CMAKE_INSTALL_PREFIX:PATH=$(PREFIX)" $(BUILD)/release/CMakeCache.txt || \
	    echo "install: built for another prefix: for programs that embed libcordon run \`make PREFIX=$(PREFIX)\` first" >&2
	@DESTDIR="$(DESTDIR)" cmake --install $(BUILD)/release --prefix $(PREFIX)

clean:
	rm -rf $(BUILD)
