"""What to do with a project: detect its toolchain, plan the steps, read the reports. Pure; it refuses to do I/O."""
