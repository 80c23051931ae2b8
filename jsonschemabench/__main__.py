"""`python -m structgen.jsonschemabench`: the same as `structgen bench`."""

from __future__ import annotations

import sys

from structgen.cli import run

if __name__ == "__main__":
    sys.exit(run(["bench", *sys.argv[1:]]))
