# Line coverage of the core and gatectl, with gcov's own JSON: by the unit tests, and by gatectl as
# the tests in t/ run it (what it asks nginx for, nothing else can answer), both of BUILD=asan. Bars:
# 95 % of all, 98 % of each layer that decides.

##@ Depth
.PHONY: cov cov-run cov-report
cov: cov-run ## line coverage of the core; fails below 95 % (98 % where decisions fall)
	@tools/cov

cov-run: build/asan/unit build/asan/gatectl module
	@find build/asan -name '*.gcda' -delete
	@tools/unit build/asan/unit --gtest_brief=1 >build/asan/unit.log 2>&1 || { tail -40 build/asan/unit.log; exit 1; }
	@GATE_MODULE=$(MODULE) GATE_CTL=$(CURDIR)/build/asan/gatectl prove -Q -j$(JOBS) -It/lib \
	    $(wildcard t/gatectl_*.t)

# `make test` has run all of that in the stages before, from a clean start.
cov-report:
	@tools/cov

TEST_STAGES += cov-report
