"""The adapters to whoever is told of jobs: Convex, and any endpoint that takes signed requests."""
