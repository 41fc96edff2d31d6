"""One small module for each command, or for a pair that belongs together."""
