"""Tests of what those who work on Freehold use."""
