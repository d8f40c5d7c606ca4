# Faults of all kinds under load, every answer judged by a model: tests/chaos. `make test` runs a minute
# of it, and proves that a module which turns one decision in 10^5 round is noticed.

CHAOS := GATE_CTL=$(GATECTL) SEED=$(or $(SEED),$$(date +%N | sed 's/^0*//'))
CHAOS_RUN := GATE_MODULE=$(MODULE) $(CHAOS) tests/chaos/run

##@ Depth
.PHONY: chaos chaos-short chaos-planted failover
chaos: module gatectl build/.deps-test ## faults every few seconds under load for 10 minutes: no wrong decision (SECONDS=n SEED=n FAULTS=names TOPOLOGY=cluster RATE=n)
	@SECONDS=$(or $(SECONDS),600) FAULTS='$(FAULTS)' TOPOLOGY=$(TOPOLOGY) RATE=$(or $(RATE),4000) $(CHAOS_RUN)

chaos-short: module gatectl build/.deps-test
	@SECONDS=60 RATE=$(or $(RATE),4000) $(CHAOS_RUN)

failover: module gatectl build/.deps-test ## a master dies KILLS (20) times under load, nodes of a cluster die and slots move: the longest 503 window
	@FAULTS=kill-master KILLS=$(or $(KILLS),20) RATE=$(or $(RATE),4000) $(CHAOS_RUN)
	@TOPOLOGY=cluster FAULTS='kill-node migrate' KILLS=$(or $(KILLS),20) RATE=$(or $(RATE),4000) $(CHAOS_RUN)

chaos-planted: module gatectl build/.deps-test ## a module that turns one decision in 10^5 round is noticed
	@BUILD=release GATE_FAULT=flip tools/module-build build/release-flip
	@GATE_MODULE=$(CURDIR)/build/release-flip/ngx_http_gate_module.so $(CHAOS) tests/chaos/planted

TEST_STAGES += chaos-short chaos-planted
