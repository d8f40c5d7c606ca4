# Many reloads under load: t/reload.t, longer than `make test` runs it, and under valgrind.

##@ Depth
.PHONY: soak
soak: module gatectl build/.deps-test ## 100 reloads under load (RELOADS=n), then 10 under valgrind
	@GATE_MODULE=$(MODULE) GATE_CTL=$(GATECTL) GATE_RELOADS=$(or $(RELOADS),100) \
	    prove -It/lib t/reload.t
	@GATE_MODULE=$(MODULE) GATE_CTL=$(GATECTL) GATE_RELOADS=10 GATE_VALGRIND=1 \
	    prove -It/lib t/reload.t
