"""What every module runs on: configuration, processes, listeners, bus, clock, log, metrics."""
