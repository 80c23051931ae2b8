"""The bundled JSONSchemaBench suite: how fast and how right structgen is on real schemas, beside the other engines.

This package holds its name and its place in the wheel so far; it has no benchmark and no command yet. It will use the public API of
structgen and the public functions of `structgen.kernels`, nothing else.
"""

from __future__ import annotations
