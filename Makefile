# nginx-gate: `make help` lists the targets. BUILD=debug|release|asan|tsan|failpoints chooses how; each has
# its own directory build/$(BUILD)/. mk/*.mk add targets of their own (fuzz, mutate, bench, cov) and
# append the quick ones to TEST_STAGES, which `make test` runs after its own stages.

.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
export PATH := $(PATH):/usr/sbin:/sbin
JOBS ?= $(shell nproc)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS)
endif
export JOBS
# V=1 shows the commands.
Q := $(if $(V),,@)

MODES := debug release asan tsan failpoints
ifneq ($(filter-out $(MODES),$(BUILD)),)
$(error BUILD=$(BUILD): expected one of $(MODES))
endif
UNIT_MODE := $(or $(BUILD),debug)
MODULE_MODE := $(or $(BUILD),release)
FAULT_SUFFIX := $(if $(GATE_FAULT),-$(GATE_FAULT))
MODULE_DIR := $(CURDIR)/build/$(MODULE_MODE)$(FAULT_SUFFIX)
MODULE := $(MODULE_DIR)/ngx_http_gate_module.so
GATECTL := $(CURDIR)/build/$(MODULE_MODE)/gatectl

CXX := g++
WERROR ?= -Werror
CXXFLAGS_ALL := -std=c++20 -fPIC -Isrc -pthread -MMD -MP -Wall -Wextra $(WERROR)
CORE_WARNINGS := -Wshadow -Wconversion -Wold-style-cast
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
# Places where tests kill the process (cache/failpoint.h): in unit tests, and in the module of
# BUILD=failpoints, which t/zone_crash.t uses.
FAILPOINTS := -DGATE_FAILPOINTS
COVERAGE := --coverage
FLAGS_debug := -g -O0 $(FAILPOINTS)
FLAGS_release := -g -O2
# What a sanitizer says needs lines and no variables. The same run counts the lines of the core for
# `make cov`, so there is nothing to compile twice; optimizing would cost more than it saves, most of
# all for the tests, and make lines vanish.
FLAGS_asan := -g1 -O0 -fno-omit-frame-pointer $(SANITIZE) $(COVERAGE) $(FAILPOINTS)
FLAGS_tsan := -g1 -O1 -fsanitize=thread -Wno-tsan $(FAILPOINTS)
FLAGS_failpoints := $(FLAGS_release) $(FAILPOINTS)
LIBS := -lhiredis -ljansson -lpcre2-8 -lssl -lcrypto -lcrypt

CORE_SRCS := $(filter-out src/nginx/% src/gatectl/%,$(wildcard src/*/*.cc))
GATECTL_SRCS := $(wildcard src/gatectl/*.cc)
TEST_SRCS := $(wildcard tests/*/*_test.cc tests/support/*.cc)

export GATE_VECTORS ?= $(abspath ../shared/vectors)
export ASAN_OPTIONS ?= abort_on_error=0:detect_stack_use_after_return=1
export UBSAN_OPTIONS ?= print_stacktrace=1

##@ Build
.PHONY: help deps module module-path gatectl install clean
help: ## list the targets
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z][a-z-]*:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install the Debian packages that are missing (listed in the file packages)
	@tools/deps build demo test

# Each checks again whenever it is needed, which costs one dpkg-query; as order-only prerequisites
# they never cause a rebuild.
build/.deps-build: FORCE
	@tools/deps build && mkdir -p $(@D) && touch $@
build/.deps-demo: FORCE
	@tools/deps build demo && mkdir -p $(@D) && touch $@
build/.deps-test: FORCE
	@tools/deps build demo test && mkdir -p $(@D) && touch $@
build/.deps-bench: FORCE
	@tools/deps build demo test bench && mkdir -p $(@D) && touch $@
FORCE:

module: build/.deps-build ## build the module against nginx-dev; prints the path of the .so
	@BUILD=$(MODULE_MODE) GATE_FAULT=$(GATE_FAULT) tools/module-build $(MODULE_DIR)
	@echo $(MODULE)

define mode_rules
build/$(1)/obj/src/%.o: src/%.cc | build/.deps-build
	@mkdir -p $$(@D)
	@rm -f $$(@:.o=.gcda)
	@echo '  CXX $$@'
	$$(Q)$$(CXX) $$(CXXFLAGS_ALL) $$(CORE_WARNINGS) $$(FLAGS_$(1)) -c -o $$@ $$<
build/$(1)/obj/tests/%.o: tests/%.cc | build/.deps-test
	@mkdir -p $$(@D)
	@echo '  CXX $$@'
	$$(Q)$$(CXX) $$(CXXFLAGS_ALL) -I. $$(filter-out $$(COVERAGE),$$(FLAGS_$(1))) -c -o $$@ $$<
build/$(1)/unit: $$(patsubst %.cc,build/$(1)/obj/%.o,$$(CORE_SRCS) $$(TEST_SRCS) \
        $$(filter-out src/gatectl/main.cc,$$(GATECTL_SRCS)))
	@echo '  LINK $$@'
	$$(Q)$$(CXX) $$(FLAGS_$(1)) -pthread -o $$@ $$^ -lgtest -lgtest_main $$(LIBS)
build/$(1)/gatectl: $$(patsubst %.cc,build/$(1)/obj/%.o,$$(CORE_SRCS) $$(GATECTL_SRCS))
	@echo '  LINK $$@'
	$$(Q)$$(CXX) $$(FLAGS_$(1)) -pthread -o $$@ $$^ $$(LIBS)
endef
$(foreach mode,$(MODES),$(eval $(call mode_rules,$(mode))))
-include $(wildcard build/*/obj/*/*/*.d)

gatectl: build/$(MODULE_MODE)/gatectl ## build the command-line tool

PREFIX ?= /usr
MODULES_DIR := $(DESTDIR)$(PREFIX)/lib/nginx/modules
EXAMPLES_DIR := $(DESTDIR)$(PREFIX)/share/doc/nginx-gate/examples
install: module gatectl ## install module, gatectl and examples below DESTDIR
	install -d $(MODULES_DIR) $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/nginx/modules-available
	install -m 644 $(MODULE) $(MODULES_DIR)/.ngx_http_gate_module.so.new
	strip --strip-unneeded $(MODULES_DIR)/.ngx_http_gate_module.so.new
	mv -f $(MODULES_DIR)/.ngx_http_gate_module.so.new $(MODULES_DIR)/ngx_http_gate_module.so
	install -m 755 $(GATECTL) $(DESTDIR)$(PREFIX)/bin/gatectl
	echo 'load_module modules/ngx_http_gate_module.so;' \
	    >$(DESTDIR)$(PREFIX)/share/nginx/modules-available/mod-http-gate.conf
	if [ -d conf/examples ]; then install -d $(EXAMPLES_DIR) && cp -R conf/examples/. $(EXAMPLES_DIR)/; fi
	@echo "Installed. A reload keeps the old code mapped: restart nginx, or upgrade it in place"
	@echo "(kill -USR2), to run the new module. To load it: include modules-available/mod-http-gate.conf"

clean: ## remove what was built
	rm -rf build

##@ Test
.PHONY: unit t test vectors lint format tidy demo demo-check fault-check
unit: build/$(UNIT_MODE)/unit ## unit tests (BUILD=debug by default; FILTER=Suite.Name*)
	@tools/unit build/$(UNIT_MODE)/unit --gtest_brief=1 $(if $(FILTER),--gtest_filter='$(FILTER)')

# T=t/name.t runs some; BUILD=asan runs nginx with the module under AddressSanitizer.
t: module gatectl build/.deps-test ## integration tests in a real nginx (T=t/name.t, BUILD=asan)
	@GATE_MODULE=$(MODULE) GATE_CTL=$(GATECTL) GATE_ASAN=$(filter asan,$(MODULE_MODE)) \
	    prove -j$(JOBS) -r -It/lib $(or $(T),t)

test: ## everything, in stages with their times; what CI runs
	@tools/test $(TEST_STAGES)

demo: module gatectl build/.deps-demo ## nginx with the gate before a small legacy app (CHECK=1: exit 0 or 1)
	@GATE_MODULE=$(MODULE) GATE_CTL=$(GATECTL) CHECK=$(CHECK) demo/run

demo-check:
	@$(MAKE) --no-print-directory demo CHECK=1

# A module that allows all and one that denies all must both fail the demo's check.
fault-check: build/.deps-demo
	@tools/fault-check

##@ Source
lint: build/.deps-test ## format, layers, sizes, names, scripts
	@tools/lint

format: build/.deps-test ## clang-format all C++ files in place
	@clang-format -i $$(git ls-files -co --exclude-standard '*.cc' '*.h')

tidy: build/.deps-test ## clang-tidy (bugprone, performance) on the core
	@command -v clang-tidy >/dev/null || { echo 'tidy: install the package clang-tidy'; exit 1; }
	@clang-tidy --quiet --checks='-*,bugprone-*,performance-*,-bugprone-easily-swappable-parameters' \
	    $(CORE_SRCS) -- -std=c++20 -Isrc

TEST_STAGES :=
-include $(sort $(wildcard mk/*.mk))
