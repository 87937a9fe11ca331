"""The ingest line: admit, resolve, judge, scrub, group, write."""
