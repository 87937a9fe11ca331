"""The tests; a package so that its own modules cannot be shadowed by somebody else's `tests`."""
