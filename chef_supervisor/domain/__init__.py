"""Pure values: jobs, outcomes, files, errors. No I/O, no clock, no logging."""
