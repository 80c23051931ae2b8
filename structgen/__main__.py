"""`python -m structgen`: the same as the `structgen` command."""

from __future__ import annotations

from structgen.cli import main

if __name__ == "__main__":
    main()
