"""Measure Freehold: `python -m benchmarks`. Figures are printed, never asserted."""
