"""The samples' own tests run in boxes, never in ours."""

collect_ignore_glob = ["*"]
