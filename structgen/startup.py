"""Work without the cycle collector: start-up, and masks whose nodes are compiled first.

Reading a tokenizer, importing numba and loading cached kernels make some hundred thousand objects that all stay. Beside a loaded
transformers each full collection in between walks its heap; pausing them takes about 100 ms off a start of 0.5 s (128k tokens). For the
same reason a mask whose nodes have to be compiled first would now and then take hundreds of milliseconds.
"""

from __future__ import annotations

import gc


class collector_paused:  # noqa: N801 (a context manager, and no generator: it costs a third of a microsecond)
    """Switch the cycle collector off for a block, and on again if it was on. Nests; reference counting goes on."""

    __slots__ = ("_was_on",)

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *error: object) -> None:
        if self._was_on:
            gc.enable()
