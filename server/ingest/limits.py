"""How large each part of one event may be, and why."""

# Words such as a platform, an environment or a rating: the longest in use has 18 characters.
MAX_WORD = 64
# Event and session ids and names of metrics: the SDKs make ids of 26 characters, a UUID takes 36.
MAX_ID = 128
# Account ids, e-mail addresses (at most 254), version strings with a commit, fingerprints of other SDKs: all of them
# are columns with an index, and a B-tree page must hold several.
MAX_IDENTITY = 256
# Free text. One message may fill a whole REST body of 1 MiB, and that has always been accepted.
MAX_TEXT = 1 << 20
# The SDKs keep 30. Strings inside breadcrumbs, device and context have no bound of their own: the request's holds.
MAX_BREADCRUMBS = 500
# The range of google.protobuf.Timestamp: the years 1 to 9999.
MIN_SECONDS = -62_135_596_800
MAX_SECONDS = 253_402_300_799
NANOS_PER_SECOND = 1_000_000_000
# Client clocks run ahead a little; further ahead than this a timestamp is a wrong clock, not news from the future.
MAX_AHEAD_MS = 5 * 60 * 1000
# A parser takes 100 nested messages and a JSON object costs three of them, so what nests deeper could be written
# but never read again.
MAX_DEPTH = 24
