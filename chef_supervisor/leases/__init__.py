"""Keeps the leases of running jobs, whatever the main loop is busy with. Knows neither jobs' work nor their ends."""
