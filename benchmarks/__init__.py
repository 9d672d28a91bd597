"""Timings of capsviz: ``make bench``. They depend on the machine, so no test looks at them."""
