# Mutated tokens (`make mutate`: TOKENS=10000000 SEED=n) and mutated code (`make mutate-code`).

MUTATE_SRCS := $(wildcard tests/mutate/*.cc)
MUTATE_OBJS := $(patsubst %.cc,build/release/obj/%.o,$(CORE_SRCS) $(MUTATE_SRCS))
build/release/mutate: $(MUTATE_OBJS)
	$(CXX) $(FLAGS_release) -pthread -o $@ $^ $(LIBS)

##@ Depth
.PHONY: mutate mutate-short
mutate: build/release/mutate ## change 10^7 valid tokens at random: none may pass (TOKENS=n SEED=n)
	@build/release/mutate $(or $(TOKENS),10000000) $(SEED)

mutate-short: build/release/mutate
	@build/release/mutate 100000 $(SEED)

TEST_STAGES += mutate-short
