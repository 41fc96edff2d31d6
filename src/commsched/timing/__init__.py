"""Time, purely: sets of instants, civil time, durations, usage forecast. Knows no facts and no clock."""
