# libFuzzer targets in tests/fuzz: `make fuzz` runs each for GATE_FUZZ_SECONDS (600), two at a time;
# `make test` does so for 12 s. tests/fuzz/targets lists them.

FUZZ_TARGETS := $(shell sed -n 's/^\([a-z][a-z0-9_]*\) .*/\1/p' tests/fuzz/targets)
FUZZ_CORE := $(wildcard $(foreach d,base crypto jose apikey users cache http redis policy,src/$(d)/*.cc))
FUZZ_HELPERS := tests/fuzz/requirement_model.cc
FUZZ_CXX := clang++
FUZZ_CXXFLAGS := -std=c++20 -Isrc -I. -MMD -MP -Wall -Wextra $(WERROR)
# Stacks need lines and no variables; counting lines needs neither, nor speed.
FUZZ_FLAGS_asan := -gline-tables-only -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
FUZZ_FLAGS_cov := -O0 -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping
FUZZ_LINK_asan := -fsanitize=fuzzer,address,undefined
FUZZ_LINK_cov := -fsanitize=fuzzer -fprofile-instr-generate
FUZZ_LIBS := -lhiredis -ljansson -lpcre2-8 -lcrypto -lcrypt

define fuzz_rules
build/fuzz-$(1)/%.o: %.cc | build/.deps-test
	@mkdir -p $$(@D)
	@echo '  CXX $$@'
	$$(Q)$$(FUZZ_CXX) $$(FUZZ_CXXFLAGS) $$(FUZZ_FLAGS_$(1)) -c -o $$@ $$<
build/fuzz-$(1)/core.a: $$(patsubst %.cc,build/fuzz-$(1)/%.o,$$(FUZZ_CORE) $$(FUZZ_HELPERS))
	@rm -f $$@
	@echo '  AR  $$@'
	$$(Q)ar rcs $$@ $$^
build/fuzz-$(1)/%: build/fuzz-$(1)/tests/fuzz/%_fuzz.o build/fuzz-$(1)/core.a
	@echo '  LINK $$@'
	$$(Q)$$(FUZZ_CXX) $$(FUZZ_LINK_$(1)) -o $$@ $$^ $$(FUZZ_LIBS)
.PRECIOUS: build/fuzz-$(1)/%.o build/fuzz-$(1)/tests/fuzz/%_fuzz.o
endef
$(foreach mode,asan cov,$(eval $(call fuzz_rules,$(mode))))
-include $(wildcard build/fuzz-*/*/*/*.d)

##@ Depth
.PHONY: fuzz fuzz-short fuzz-build fuzz-coverage fuzz-planted fuzz-check
fuzz-build: $(FUZZ_TARGETS:%=build/fuzz-asan/%)

fuzz: fuzz-build ## run each fuzz target for GATE_FUZZ_SECONDS (600)
	@tests/fuzz/run $(or $(GATE_FUZZ_SECONDS),600) $(FUZZ_TARGETS)

fuzz-short: fuzz-build
	@tests/fuzz/run $(or $(GATE_FUZZ_SECONDS),12) $(FUZZ_TARGETS)

fuzz-coverage: $(FUZZ_TARGETS:%=build/fuzz-cov/%)
	@tests/fuzz/coverage

# Each target must find the bug that tests/fuzz/targets plants for it.
fuzz-planted: fuzz-build
	@FUZZ_COMPILE='$(FUZZ_CXX) $(filter-out -MMD -MP,$(FUZZ_CXXFLAGS)) $(FUZZ_FLAGS_asan)' \
	    FUZZ_LINK='$(FUZZ_CXX) $(FUZZ_LINK_asan)' FUZZ_LIBS='$(FUZZ_LIBS)' tests/fuzz/planted

fuzz-check: fuzz-coverage fuzz-planted ## corpora cover 80 % of their subjects, targets find planted bugs

TEST_STAGES += fuzz-short fuzz-check
