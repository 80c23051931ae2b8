"""Grammars in Lark's notation, bundled as data files (`*.lark`): `names()` lists them, `text(name)` reads one.

    sql = structgen.compile_grammar(structgen.grammars.text("sql"))
    structgen.generate(prompt, grammar=structgen.grammars.text("iso_date"))

The head comment of each grammar is its documentation. It says what the texts are, under which of Lark's lexings the grammar means
the same (`Lexing:`), which part of the language it covers (`Subset:`) and what the tests compare it with (`Oracle:`). Texts of a
grammar are texts of the whole language; the converse holds for the subset only. Rules that no context-free grammar can express (keys
that must differ, tags that must match, indentation) hold by construction, in the way that the head comment describes.

Under every lexing that is named, and under any split of a text into terminals, a grammar means one language: terminals bring the white
space that separates them along, no two of them clash in one place without a priority, and the first match of each is its longest.

The grammars are also meant to be copied and changed: tags, table schemas and depths stand together at one place of the file.
"""

from __future__ import annotations

from importlib import resources

from structgen.errors import StructgenError

__all__ = ["names", "text"]

_SUFFIX = ".lark"


def names() -> list[str]:
    """The bundled grammars' names in alphabetical order: the files' names without `.lark`."""
    files = resources.files(__name__).iterdir()
    return sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX))


def text(name: str) -> str:
    """The bundled grammar `name` (one of `names()`), as text in Lark's notation; its start rule is `start`.

    Raises StructgenError when there is no such grammar, and TypeError when the name is no string.
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of a grammar is a string, not {type(name).__name__}")
    if name not in names():  # membership, not a path: a name never leads out of the package
        raise StructgenError(f"no bundled grammar is called {name!r}; there are: {', '.join(names())}")
    return resources.files(__name__).joinpath(name + _SUFFIX).read_text(encoding="utf-8")
