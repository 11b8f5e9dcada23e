# Everything that can be done with fastthreadpool. `make help` lists it.

PREFIX  ?= /usr/local
DESTDIR ?=
LIBDIR  ?= $(PREFIX)/lib
CARGO   ?= cargo
CC      ?= cc
INCLUDES  = $(DESTDIR)$(PREFIX)/include
LIBRARIES = $(DESTDIR)$(LIBDIR)

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
MAJOR   := $(firstword $(subst ., ,$(VERSION)))
TARGET  := $(or $(CARGO_TARGET_DIR),target)
BUILT   := $(TARGET)/$(if $(CARGO_BUILD_TARGET),$(CARGO_BUILD_TARGET)/)release
STAGE   := $(if $(filter /%,$(TARGET)),,$(CURDIR)/)$(TARGET)/stage
# What the static library needs of the system: `rustc --print native-static-libs` says it. Not -lgcc_s and -lc: compilers
# add what they need of these, and there is no libgcc_s for -static.
STATIC_LIBS := -lutil -lrt -lpthread -lm -ldl
# In which order the functions lie; empty for a linker that has no use for the file.
LAYOUT  ?= $(if $(findstring linux,$(or $(CARGO_BUILD_TARGET),$(shell uname -s | tr A-Z a-z))),-C "link-arg=-T$(CURDIR)/src/ffi/layout.ld")

.PHONY: help build run test check extra bench bench-quick bench-server scaling soak loom mutants cross header install uninstall clean needs

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

needs:
	@command -v $(CARGO) >/dev/null || { echo "missing: a Rust toolchain with cargo (1.95 or later)"; exit 1; }
	@command -v $(CC) >/dev/null || { echo "missing: a C compiler (Debian: apt-get install gcc)"; exit 1; }

# Only these two: cargo does not optimise across crates (lto) when it makes an rlib at the same time.
build: needs ## the libraries, in target/release
	$(CARGO) rustc --release --features capi --lib --crate-type cdylib,staticlib --target-dir "$(TARGET)" -- $(LAYOUT)

run: needs ## parallel cksum of DIR (default /usr/include, /usr/share/doc) against coreutils
	@command -v pkg-config >/dev/null || { echo "missing: pkg-config (Debian: apt-get install pkg-config)"; exit 1; }
	@$(MAKE) --no-print-directory install PREFIX="$(STAGE)" LIBDIR="$(STAGE)/lib" DESTDIR=
	export PKG_CONFIG_PATH="$(STAGE)/lib/pkgconfig"; eval \
	'$(CC) -O2 -Wall -Wextra -Wpedantic -Werror -o "$(STAGE)/pcksum" c-examples/pcksum.c' \
	    "$$(pkg-config --cflags --libs fastthreadpool)" '"-Wl,-rpath,$(STAGE)/lib"'
	sh c-examples/run_pcksum.sh "$(STAGE)/pcksum" $(DIR)

test: needs ## all tests: Rust, doctests, C examples, header
	$(CARGO) test --features capi,log --quiet

check: ## everything that must hold before a change lands
	ci/check.sh

extra: needs ## all models, their mutants, the portable fallback, AddressSanitizer
	ci/extra.sh

bench: build ## measure against other pools (half an hour); benches/results, docs/benchmarks (MACHINE=name: a folder there)
	ci/bench.sh $(BENCH)

bench-server: build ## the example server against one with a thread for each connection
	benches/server.sh

bench-quick: build ## the same, coarsely, in less than three minutes; target/bench-quick
	ci/bench.sh --quick

scaling: needs ## one static program that measures a machine with many cores (docs/scaling.md)
	ci/scaling.sh

soak: needs ## 10^9 randomised jobs with bookkeeping (about an hour) and more; JOBS=n for another number of each
	FTPOOL_SOAK_JOBS=$(or $(JOBS),1000000000) $(CARGO) test --release --test soak -- --nocapture
	FTPOOL_SOAK_JOBS=$(or $(JOBS),100000000) $(CARGO) test --release --test semaphore --test fast_lock
	FTPOOL_SOAK_TIMERS=$(or $(JOBS),10000000) $(CARGO) test --release --test timer_races
	FTPOOL_ROUNDS=$(or $(JOBS),100000) $(CARGO) test --release --test chaos
	FTPOOL_SOAK_SEQUENCES=$(or $(JOBS),10000000) $(CARGO) test --release --features capi --test c_calls -- --nocapture

loom: needs ## the model checker on every protocol
	ci/loom.sh

mutants: needs ## shows that every model fails when its key step is broken
	ci/mutants.sh

cross: needs ## check that the crate and its tests compile for other systems (FTPOOL_TSAN: see ci/tsan.sh)
	ci/cross.sh

header: needs ## generate include/fastthreadpool.h from src/ffi
	FTPOOL_BLESS=1 $(CARGO) test --quiet --features capi --test header

# Under sudo nothing is built: root often has no cargo, and would leave files of its own behind.
install: $(if $(SUDO_USER),,build) ## into $(DESTDIR)$(PREFIX); `make build` and then `sudo make install` works, too
	@case "$(PREFIX)" in /*) ;; *) echo "PREFIX has to be an absolute path"; exit 1 ;; esac
	@test -e "$(BUILT)/libfastthreadpool.a" || { echo "missing: the libraries (without sudo: make build)"; exit 1; }
	install -d "$(INCLUDES)" "$(LIBRARIES)/pkgconfig"
	install -m 644 include/fastthreadpool.h "$(INCLUDES)/"
	install -m 644 "$(BUILT)/libfastthreadpool.a" "$(LIBRARIES)/"
	install -m 755 "$(BUILT)/libfastthreadpool.so" "$(LIBRARIES)/libfastthreadpool.so.$(VERSION)"
	ln -sf libfastthreadpool.so.$(VERSION) "$(LIBRARIES)/libfastthreadpool.so.$(MAJOR)"
	ln -sf libfastthreadpool.so.$(MAJOR) "$(LIBRARIES)/libfastthreadpool.so"
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' \
	    -e 's|@STATIC_LIBS@|$(STATIC_LIBS)|' fastthreadpool.pc.in > "$(LIBRARIES)/pkgconfig/fastthreadpool.pc"
	chmod 644 "$(LIBRARIES)/pkgconfig/fastthreadpool.pc"

uninstall: ## what install put there
	rm -f "$(INCLUDES)/fastthreadpool.h" "$(LIBRARIES)/pkgconfig/fastthreadpool.pc" "$(LIBRARIES)/libfastthreadpool.a" \
	    "$(LIBRARIES)/libfastthreadpool.so" "$(LIBRARIES)/libfastthreadpool.so.$(MAJOR)" \
	    "$(LIBRARIES)/libfastthreadpool.so.$(VERSION)"

clean: ## what was built
	$(CARGO) clean
	rm -rf benches/rivals/target benches/scaling/target
