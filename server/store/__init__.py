"""Everything durable. Rows never leave this package; callers get and give plain values."""
