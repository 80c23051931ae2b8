"""Who may import whom, read from the syntax trees: floors as in the house style, imports go downwards only.

Imports inside functions count as well: a lazy import may save time, but it may not go up. The one exception is the package's own
`__init__`, which hands out public names of every floor.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL_PACKAGES = {
    "kernels": "structgen.kernels",
    "grammars": "structgen.grammars",
    "jsonschemabench": "structgen.jsonschemabench",
}

# The first entry that is the module or a package above it decides. Same floor, another part: not allowed, but for SIDEWAYS.
FLOORS = {
    "structgen.errors": 1,
    "structgen.startup": 1,
    "structgen.kernels": 1,
    "structgen.grammars": 2,
    "structgen.protocols": 2,
    "structgen.vocabulary": 2,
    "structgen.lexemes": 2,
    "structgen.machine": 3,
    "structgen.sampling": 3,
    "structgen.schema": 4,
    "structgen.syntax": 4,
    "structgen.drafting": 4,
    "structgen.compiler": 5,
    "structgen.generation": 6,
    "structgen.tiny": 6,
    "structgen.testing": 6,
    "structgen.jsonschemabench.__main__": 7,
    "structgen.jsonschemabench": 6,
    "structgen.cli": 7,
    "structgen.cli_bench": 7,
    "structgen.cli_input": 7,
    "structgen.cli_render": 7,
    "structgen.__main__": 7,
    "structgen.decorator": 7,
    "structgen.server": 7,
    "structgen.integrations": 7,
}
# (importer, imported) on one floor.
SIDEWAYS = {
    ("structgen.__main__", "structgen.cli"),
    ("structgen.jsonschemabench.__main__", "structgen.cli"),
    ("structgen.cli", "structgen.cli_bench"),
    ("structgen.cli", "structgen.cli_input"),
    ("structgen.cli", "structgen.cli_render"),
    ("structgen.lexemes", "structgen.protocols"),
    ("structgen.lexemes", "structgen.vocabulary"),
    ("structgen.vocabulary", "structgen.protocols"),
    ("structgen.generation", "structgen.tiny"),
    ("structgen.jsonschemabench", "structgen.tiny"),
}
HEAVY = ("torch", "transformers", "numba", "llvmlite", "triton", "tokenizers", "pydantic", "numpy")
INTEGRATED = ("vllm", "sglang", "ray")


def module_files(root: Path) -> dict[str, Path]:
    """Every module of the distribution by its installed name."""
    found: dict[str, Path] = {}
    for folder, package in [("structgen", "structgen"), *TOP_LEVEL_PACKAGES.items()]:
        for path in sorted((root / folder).rglob("*.py")):
            if any((root / folder / name) in path.parents for name in TOP_LEVEL_PACKAGES):
                continue  # reached through a symlink; counted under its own folder
            parts = path.relative_to(root / folder).with_suffix("").parts
            name = ".".join([package, *parts])
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = module_files(ROOT)


def imports_of(module: str, path: Path, modules: Mapping[str, Path]) -> Iterator[tuple[str, int]]:
    """(imported module, line) for every import statement in the file, at any depth; relative imports are resolved."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                name = f"{base}.{alias.name}"
                yield (name if name in modules else base), node.lineno


def part_of(module: str) -> str:
    """The entry of FLOORS that a module belongs to; KeyError if there is none."""
    part = module
    while part not in FLOORS:
        part, dot, _ = part.rpartition(".")
        if not dot:
            raise KeyError(module)
    return part


def is_own(module: str) -> bool:
    return module == "structgen" or module.startswith("structgen.")


def upward_imports(modules: Mapping[str, Path]) -> list[str]:
    """One line for every import that does not go down."""
    wrong = []
    for module, path in modules.items():
        if module == "structgen":
            continue
        part = part_of(module)
        for imported, line in imports_of(module, path, modules):
            if not is_own(imported):
                continue
            if imported == "structgen":
                # The public door, through which every floor is seen: for the floors above the engine only.
                if FLOORS[part] < 6:
                    wrong.append(f"{path}:{line}: {part} (floor {FLOORS[part]}) imports structgen itself")
                continue
            other = part_of(imported)
            if other == part or FLOORS[other] < FLOORS[part] or (part, other) in SIDEWAYS:
                continue
            wrong.append(f"{path}:{line}: {part} (floor {FLOORS[part]}) imports {imported}")
    return wrong


def import_cycle(modules: Mapping[str, Path]) -> list[str]:
    """The modules of one import cycle, or nothing. A package's `__init__` runs before its modules, so its own imports do not count."""
    graph = {
        module: {other for other, _ in imports_of(module, path, modules) if other in modules and other != module}
        for module, path in modules.items()
        if path.name != "__init__.py"
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_module_has_a_floor() -> None:
    homeless = []
    for module in MODULES:
        try:
            if module != "structgen":
                part_of(module)
        except KeyError:
            homeless.append(module)
    assert not homeless, f"add these to FLOORS: {homeless}"


def test_imports_go_downwards() -> None:
    wrong = upward_imports(MODULES)
    assert not wrong, "\n".join(wrong)


def test_no_import_cycles() -> None:
    cycle = import_cycle(MODULES)
    assert not cycle, " -> ".join(cycle)


@pytest.mark.parametrize(
    "statement",
    [
        "import structgen.compiler",
        "from structgen.compiler import Compiler",
        "from structgen import compiler",
        "from .. import compiler",
        "def late():\n    from ..compiler import Compiler",
        "import structgen",
    ],
)
def test_an_upward_import_is_found(tmp_path: Path, statement: str) -> None:
    for name, text in {
        "lexemes/__init__": "",
        "lexemes/dfa": statement,
        "compiler": "import structgen.lexemes.dfa",
    }.items():
        path = tmp_path / "structgen" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (wrong,) = upward_imports(module_files(tmp_path))
    assert "structgen.lexemes (floor 2) imports" in wrong


def test_an_import_cycle_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "structgen" / "lexemes"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text("from structgen.lexemes.b import x")
    (folder / "b.py").write_text("def late():\n    from structgen.lexemes import a")
    assert not upward_imports(module_files(tmp_path))
    assert {"structgen.lexemes.a", "structgen.lexemes.b"} <= set(import_cycle(module_files(tmp_path)))


def test_kernels_import_nothing_of_structgen() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {imported}"
        for module, path in MODULES.items()
        if part_of_or_none(module) == "structgen.kernels"
        for imported, line in imports_of(module, path, MODULES)
        if is_own(imported) and not imported.startswith("structgen.kernels")
    ]
    assert not wrong, "\n".join(wrong)


def part_of_or_none(module: str) -> str | None:
    return None if module == "structgen" else part_of(module)


def test_serving_engines_are_imported_by_integrations_only() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {imported}"
        for module, path in MODULES.items()
        if not module.startswith("structgen.integrations")
        for imported, line in imports_of(module, path, MODULES)
        if imported.partition(".")[0] in INTEGRATED
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_imports_the_top_level_folders_by_name() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {imported}"
        for module, path in MODULES.items()
        for imported, line in imports_of(module, path, MODULES)
        if imported.partition(".")[0] in TOP_LEVEL_PACKAGES
    ]
    assert not wrong, "\n".join(wrong)


def loaded_after(statement: str) -> set[str]:
    """Top-level modules in a fresh process after a statement."""
    program = (
        f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, stdin=subprocess.DEVNULL
    )
    return set(json.loads(done.stdout))


def test_import_structgen_is_light() -> None:
    before = loaded_after("pass")
    loaded = loaded_after("import structgen")
    assert "structgen" in loaded
    assert not (loaded - before) & set(HEAVY)


def test_the_command_line_starts_light() -> None:
    before = loaded_after("pass")
    loaded = loaded_after("import structgen.cli")
    assert not (loaded - before) & {"torch", "transformers", "numba", "triton"}


def test_every_public_name_resolves() -> None:
    program = "import structgen\nfor name in structgen.__all__: getattr(structgen, name)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
