# Benchmarks of the core: bench/RESULTS.md has the method and the figures.

BENCH_COMMON := build/release/obj/bench/tokens.o $(patsubst %.cc,build/release/obj/%.o,$(CORE_SRCS))
build/release/obj/bench/%.o: bench/%.cc | build/.deps-test
	@mkdir -p $(@D)
	@echo '  CXX $@'
	$(Q)$(CXX) $(CXXFLAGS_ALL) -I. $(FLAGS_release) -c -o $@ $<
build/release/bench-%: build/release/obj/bench/%.o $(BENCH_COMMON)
	@echo '  LINK $@'
	$(Q)$(CXX) $(FLAGS_release) -pthread -o $@ $^ $(LIBS)
.PRECIOUS: build/release/obj/bench/%.o build/release/bench-%
-include $(wildcard build/release/obj/bench/*.d)

##@ Depth
.PHONY: bench linear
bench: build/release/bench-verify ## time of a verification beside the bare signature (ROUNDS=n), then bench-table, bench-http, bench-redis and bench-login
	@bench/count verify build/release/bench-verify --count
	@echo
	@build/release/bench-verify $(ROUNDS)
	@echo
	@$(MAKE) --no-print-directory bench-table
	@echo
	@$(MAKE) --no-print-directory bench-http
	@echo
	@$(MAKE) --no-print-directory bench-redis
	@echo
	@$(MAKE) --no-print-directory bench-login

.PHONY: bench-table
bench-table: build/release/bench-table ## lookups in shared memory: instructions, ns, 2 threads beside a writer
	@bench/count table build/release/bench-table --count
	@echo
	@build/release/bench-table

.PHONY: bench-revocations
bench-revocations: build/release/bench-revocations ## 1,000,000 revoked ids: ns a lookup, octets, time to load
	@build/release/bench-revocations

linear: build/release/bench-linear ## instructions for hostile input grow no more than its size
	@bench/count linear build/release/bench-linear

.PHONY: timing
timing: build/release/bench-timing ## comparisons of secrets take the same time however much of a guess is right (SAMPLES=n)
	@build/release/bench-timing $(SAMPLES)

.PHONY: cost cost-time
cost: build/release/bench-cost ## instructions of the worst tokens that the size limit lets through
	@bench/count cost build/release/bench-cost --count

cost-time: build/release/bench-cost ## time of the same tokens
	@build/release/bench-cost

# Tools that need nothing of the core.
build/release/bench-http_%: bench/http_%.cc | build/.deps-bench
	@mkdir -p $(@D)
	@echo '  CXX $@'
	$(Q)$(CXX) $(filter-out -MMD -MP,$(CXXFLAGS_ALL)) $(CORE_WARNINGS) $(FLAGS_release) -o $@ $< -lcrypto
.PRECIOUS: build/release/bench-http_%

.PHONY: bench-http bench-instructions bench-login bench-redis
bench-http: module build/release/bench-http_make build/release/bench-http_load ## nginx with the gate beside nginx without, beside peers (N=pairs QUICK=1 ONLY=pairs,mix,peers,memory ALG= REVOKED=n)
	@GATE_MODULE=$(MODULE) bench/http $(if $(QUICK),--quick) $(if $(N),--pairs=$(N)) \
	    $(if $(ONLY),--only=$(ONLY)) $(if $(ALG),--alg=$(ALG)) \
	    $(if $(REVOKED),--revoked=$(REVOKED)) $(if $(NULL),--null)

bench-redis: module gatectl build/release/bench-http_make build/release/bench-http_load ## lookups, changes and outages with Redis (QUICK=1 ONLY=cold,slow,load,stream,hung,fleet,warm)
	@GATE_MODULE=$(MODULE) bench/redis $(if $(QUICK),--quick) $(if $(ONLY),--only=$(ONLY))

bench-login: module gatectl ## logins that fail take the same time; a protected location beside 200 of them (QUICK=1 ONLY=kinds,crowd)
	@GATE_MODULE=$(MODULE) GATE_CTL=$(GATECTL) bench/login $(if $(QUICK),--quick) $(if $(ONLY),--only=$(ONLY))

bench-instructions: module build/release/bench-http_make ## instructions that the gate adds to a hit (ALG=RS256,APIkey REVOKED=n TOP=n)
	@GATE_MODULE=$(MODULE) bench/instructions $(if $(ALG),--alg=$(ALG)) \
	    $(if $(REVOKED),--revoked=$(REVOKED)) $(if $(TOP),--top=$(TOP)) $(if $(DUMPS),--dumps=$(DUMPS))

TEST_STAGES += linear cost
