"""`python -m server`: the same program as the `healthguard` command."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 -- started by hand with an old Python, it would end in a traceback
    sys.exit(f"healthguard: needs Python 3.11 or newer, this is {sys.version.split()[0]}")

from server.cli import main

if __name__ == "__main__":
    main()
