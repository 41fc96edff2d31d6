"""Benchmarks: ``python -m benchmarks [--full] [B1 B2 …]``. They report and never judge; see docs/performance.md."""
