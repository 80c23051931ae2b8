"""Start-up without the cycle collector.

Reading a tokenizer, importing numba and loading cached kernels make some hundred thousand objects that all stay. Beside a loaded
transformers each full collection in between walks its heap; pausing them takes about 100 ms off a start of 0.5 s (128k tokens).
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Switch the cycle collector off for a block, and on again if it was on. Nests; reference counting goes on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
