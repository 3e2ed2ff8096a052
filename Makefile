# The only things to remember. Each target does all set-up that is missing on a fresh Debian 12 machine.
#
#   make quickstart   the whole chain on real data: pull, finetune, report, promote, serve, bill
#   make test         all tests (what .ci/run calls)
#   make build        both programs, optimised, in build/release/bin
#   make test-long    the long tests: 50 kill -9 cycles, sanitizers
#   make fuzz         every parser of outside bytes, 60 s each (or TARGET=name SECONDS=n)
#   make bench        the figures of docs/figures.md
#   make format       clang-format over the sources

.PHONY: quickstart test build setup test-long bench fuzz format
.NOTPARALLEL:

BUILD := build/release

setup:
	@scripts/setup

build: setup
	@scripts/build release

quickstart: build
	@scripts/quickstart $(if $(DATA),--data "$(DATA)")

test: build
	@scripts/test

test-long: build
	@scripts/test-long

bench: build
	@scripts/bench

fuzz: setup
	@scripts/fuzz $(or $(TARGET),all) $(or $(SECONDS),60)

format:
	@git ls-files '*.h' '*.cpp' | xargs clang-format-14 -i
