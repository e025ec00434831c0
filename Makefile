# SPDX-License-Identifier: MIT
# A thin front for CMake. `make help` says what there is.

PACKAGES = gcc g++ libc6-dev binutils make cmake pkg-config ca-certificates libdnnl-dev libyaml-dev \
           libjansson-dev libpopt-dev libpng-dev libturbojpeg0-dev libwebp-dev zlib1g-dev \
           libcgif-dev libzip-dev libcurl4-openssl-dev libssl-dev libcairo2-dev \
           libpango1.0-dev fonts-inter libcmocka-dev libgif-dev
DEMO_PACKAGES = dataset-fashion-mnist
JOBS := $(shell nproc 2>/dev/null || echo 2)

all: build/Makefile
	cmake --build build -j $(JOBS)

build/Makefile:
	cmake --preset release

deps:
	tools/install.sh $(PACKAGES)

check: deps
	$(MAKE) all
	ctest --test-dir build -j $(JOBS) --output-on-failure

# Leaks count, but for those of tests/leaks.supp; so does what UBSan finds, which by default is only
# printed.
check-asan: deps
	cmake --preset asan
	cmake --build build/asan -j $(JOBS)
	LSAN_OPTIONS=suppressions=$(CURDIR)/tests/leaks.supp:print_suppressions=0 \
	    ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	    ctest --test-dir build/asan -j $(JOBS) --output-on-failure

# Every mistake of tests/mutants/list, planted and looked for; a few of them are part of `check`.
mutants: all
	tests/mutants.sh build all
	tests/mutants.sh build tests

demo: deps
	tools/install.sh $(DEMO_PACKAGES)
	$(MAKE) all
	tools/demo.sh

figures: deps
	tools/install.sh $(DEMO_PACKAGES)
	$(MAKE) all
	tools/figures

# Long rigs; `make check` has a short form of each.
torture: all
	tools/torture-stops 300

gradients: all
	LATENT_GRADIENTS=long build/test_gradients

# The numbers of the documents, made again where that takes minutes at most; some need data sets that
# $LATENT_DATA has, and are skipped without.
numbers: deps
	tools/install.sh $(DEMO_PACKAGES)
	$(MAKE) all
	tools/numbers

# Bytes of all that the presets make beside those that are kept; a part of it is part of `check`.
digests: all
	tests/digests.sh --check build/latent

# Scores of images whose quality is known; tables for docs/quality.md. Minutes.
QUALITY_SETS ?= mnist fashion-mnist ../shared/data/cifar10-jpeg

copies few: all
	cmake --build build -j $(JOBS) --target quality_cases
	build/quality_cases $@ $(QUALITY_SETS)

# Both commands of README in a fresh Debian, from the last commit; root and debootstrap. 20 minutes.
debian-12 debian-13:
	tools/try-debian $(@:debian-%=%)

# DESTDIR, too, as packages want it. See tools/tree.
PREFIX ?= /usr/local

install: all
	DESTDIR="$(DESTDIR)" tools/tree install "$(PREFIX)"

uninstall:
	DESTDIR="$(DESTDIR)" tools/tree uninstall "$(PREFIX)"

clean:
	rm -rf build

help:
	@echo "make             build the tool, build/latent; installs nothing"
	@echo "make deps        install the packages it is built from (Debian; root or sudo)"
	@echo "make check       deps, build, run all tests"
	@echo "make check-asan  the same with address and undefined behavior sanitizers"
	@echo "make mutants     plant mistakes into formulas, and see that verify and a test find each"
	@echo "make demo        deps, build, train a model of Fashion-MNIST, draw what it has learned"
	@echo "make figures     deps, build, train the models of five courses, draw every figure they have"
	@echo "make torture     300 trainings stopped by signals at random instants, and resumed"
	@echo "make numbers     deps, build, compare the numbers of the documents with what commands print now"
	@echo "make digests     build, compare checkpoints, pictures and reports of every preset with digests that are kept"
	@echo "make copies      build, judge images whose quality is known: are they copies (QUALITY_SETS=...)"
	@echo "make few         build, score few images, real and noise: what do scores of few images say"
	@echo "make gradients   gradients of every combination of options beside differences of the loss"
	@echo "make debian-13   demo and check in a fresh Debian 13 (or 12) of its own; root and debootstrap"
	@echo "make install     copy tool, library, headers and documents to PREFIX, which is /usr/local"
	@echo "make uninstall   take away what \`make install\` has put into PREFIX"
	@echo "make clean       remove build/"

.PHONY: all deps check check-asan mutants demo figures torture gradients numbers digests copies few debian-12 debian-13 \
        install uninstall clean help
