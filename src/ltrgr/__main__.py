"""``python -m ltrgr``: the same as the command ``ltrgr``."""

import sys

from ltrgr.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
