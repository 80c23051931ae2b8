"""Grammars in Lark's notation, as data files (`*.lark`) beside this module; read them with `importlib.resources`.

There is no grammar here yet: context-free grammars are not built, and `structgen` enforces JSON Schemas and Python types only.
"""

from __future__ import annotations
