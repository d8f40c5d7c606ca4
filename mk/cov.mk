# Line coverage of the core and gatectl, with gcov's own JSON: by the unit tests, and by those tests
# in t/ that run gatectl (what it asks nginx for, nothing else can answer). Bars: 95 % of all, 98 %
# of each layer that decides.

##@ Depth
.PHONY: cov cov-run
cov: cov-run ## line coverage of the core; fails below 95 % (98 % where decisions fall)
	@tools/cov

cov-run: build/cov/unit build/cov/gatectl module
	@find build/cov -name '*.gcda' -delete
	@build/cov/unit --gtest_brief=1 >build/cov/unit.log || { tail -40 build/cov/unit.log; exit 1; }
	@GATE_MODULE=$(MODULE) GATE_CTL=$(CURDIR)/build/cov/gatectl prove -Q -j$(JOBS) -It/lib \
	    $(wildcard t/gatectl_*.t)

TEST_STAGES += cov
