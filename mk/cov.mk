# Line coverage of the core by the unit tests, with gcov's own JSON. Bars: 95 % of all, 98 % of each
# layer that decides.

##@ Depth
.PHONY: cov
cov: build/cov/unit ## line coverage of the core; fails below 95 % (98 % where decisions fall)
	@find build/cov -name '*.gcda' -delete
	@build/cov/unit --gtest_brief=1 >build/cov/unit.log || { tail -40 build/cov/unit.log; exit 1; }
	@tools/cov

TEST_STAGES += cov
