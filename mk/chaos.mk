# Faults of all kinds under load, every answer judged by a model: tests/chaos. `make test` runs a minute
# of it, and proves that a module which turns one decision in 10^5 round is noticed.

CHAOS := GATE_CTL=$(GATECTL) SEED=$(or $(SEED),$$(date +%N | sed 's/^0*//'))
CHAOS_RUN := GATE_MODULE=$(MODULE) $(CHAOS) tests/chaos/run

##@ Depth
.PHONY: chaos chaos-short chaos-planted
chaos: module gatectl build/.deps-test ## faults every few seconds under load for 10 minutes: no wrong decision (SECONDS=n SEED=n FAULTS=names RATE=n)
	@SECONDS=$(or $(SECONDS),600) FAULTS='$(FAULTS)' RATE=$(or $(RATE),4000) $(CHAOS_RUN)

chaos-short: module gatectl build/.deps-test
	@SECONDS=60 RATE=$(or $(RATE),4000) $(CHAOS_RUN)

chaos-planted: module gatectl build/.deps-test ## a module that turns one decision in 10^5 round is noticed
	@BUILD=release GATE_FAULT=flip tools/module-build build/release-flip
	@GATE_MODULE=$(CURDIR)/build/release-flip/ngx_http_gate_module.so $(CHAOS) tests/chaos/planted

TEST_STAGES += chaos-short chaos-planted
