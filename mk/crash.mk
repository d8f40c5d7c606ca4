# Workers that die at every store into shared memory: t/zone_crash.t with a module of
# BUILD=failpoints. GATE_LONG=1 asks 10,000 requests after each death instead of 2,000.

##@ Depth
.PHONY: crash
crash: module gatectl build/.deps-test ## kill workers at each failpoint, with and without the zone's lock
	@BUILD=failpoints tools/module-build $(CURDIR)/build/failpoints
	@GATE_FAILPOINTS=1 GATE_MODULE=$(CURDIR)/build/failpoints/ngx_http_gate_module.so \
	    GATE_CTL=$(GATECTL) prove -j$(JOBS) -It/lib t/zone_crash.t t/zone_stuck.t t/journal_logout.t

TEST_STAGES += crash
