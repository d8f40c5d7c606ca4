# Mutated tokens (`make mutate`: TOKENS=10000000 SEED=n) and mutated code (`make mutate-code`).

MUTATE_SRCS := $(wildcard tests/mutate/*.cc)
MUTATE_OBJS := $(patsubst %.cc,build/release/obj/%.o,$(CORE_SRCS) $(MUTATE_SRCS))
build/release/mutate: $(MUTATE_OBJS)
	@echo '  LINK $@'
	$(Q)$(CXX) $(FLAGS_release) -pthread -o $@ $^ $(LIBS)

##@ Depth
.PHONY: mutate mutate-short
mutate: build/release/mutate ## change 10^7 valid tokens at random: none may pass (TOKENS=n SEED=n)
	@build/release/mutate $(or $(TOKENS),10000000) $(SEED)

mutate-short: build/release/mutate
	@build/release/mutate 100000 $(SEED)

# Objects of the tests and of what is not mutated are built once; see tools/mutate-code.
MUTANTS := build/mutants
MUTATED = $(patsubst $(MUTANTS)/%.cc,%,$(wildcard $(MUTANTS)/src/*/*.cc))
# Of what is mutated; the tests of the zone itself take longer than a mutant may.
MUTANT_TESTS := $(filter-out tests/gatectl/% tests/conftext/% tests/cache/%,$(TEST_SRCS))
.PHONY: mutate-code mutate-code-build
$(MUTANTS)/mutants.json: tools/mutate-code $(CORE_SRCS)
	@tools/mutate-code build $(MUTANTS)
$(MUTANTS)/%.o: $(MUTANTS)/%.cc
	@echo '  CXX $@'
	$(Q)$(CXX) -std=c++20 -w -O1 -Isrc -MMD -MP -c -o $@ $<
-include $(wildcard $(MUTANTS)/src/*/*.d)
mutate-code-build: $(MUTANTS)/unit
$(MUTANTS)/unit: $(MUTATED:%=$(MUTANTS)/%.o) $(MUTANTS)/switch.o \
        $(patsubst %.cc,build/release/obj/%.o,$(filter-out $(MUTATED:%=%.cc),$(CORE_SRCS)) $(MUTANT_TESTS))
	@echo '  LINK $@'
	$(Q)$(CXX) -pthread -o $@ $^ -lgtest -lgtest_main $(LIBS)
# The second make sees the list of files that the first step wrote.
mutate-code: $(MUTANTS)/mutants.json ## do the unit tests notice mutants of the code that decides?
	@$(MAKE) --no-print-directory mutate-code-build
	@tools/mutate-code run $(MUTANTS) $(MUTANTS)/unit

TEST_STAGES += mutate-short
