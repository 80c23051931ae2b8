"""Cases: schemas with their instances, from the bundled set, MaskBench files, a folder of JSON files, or the hub.

In: a source. Out: `Case`s in a fixed order. A source is

    bundled                                     the schemas written for this package (see make_bundled)
    FOLDER or FILE with *.jsonl or *.jsonl.gz   MaskBench: an object a line with `id`, `schema` and `tests: [{valid, data}]`
    FOLDER or FILE with *.parquet               the hub's layout, columns `json_schema` (text) and `unique_id`
    FOLDER or FILE with *.json                  an object with `schema` and `tests` is a MaskBench case, one with `json_schema` a row of the
                                                hub, anything else is a schema itself
    epfl-dlab/JSONSchemaBench                   the published splits, from the hub: with `datasets` where installed, else the parquet files
                                                through `huggingface_hub` (which needs pyarrow to read them)

The split of a case is its file's name without "-00000-of-00001" (parquet, jsonl), its folder's name below the source (JSON files), or what
stands before "---" in its id, as the published ids have it.

Limits: everything is read into memory. Schemas without instances (folder, hub) have no true coverage.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from structgen.jsonschemabench import BenchError

__all__ = ["BUNDLED_FILE", "HUB_NAME", "Case", "Instance", "load_cases", "pick"]

HUB_NAME = "epfl-dlab/JSONSchemaBench"
BUNDLED_FILE = "bundled.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Instance:
    """A JSON value and whether it is valid, formats asserted."""

    data: Any
    valid: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A schema with its instances. id: unique in its source; split: the kind of schema, for the tables."""

    id: str
    split: str
    schema: Any
    tests: tuple[Instance, ...] = ()

    def n_bytes(self) -> int:
        """The size of the schema's compact JSON text in UTF-8."""
        return len(json.dumps(self.schema, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def load_cases(source: str) -> list[Case]:
    """Read every case of a source (see the module), in a fixed order. Raises BenchError for what cannot be read."""
    if source == "bundled":
        file = resources.files("structgen.jsonschemabench").joinpath(BUNDLED_FILE)
        with resources.as_file(file) as path:
            return _checked(_of_lines(path), source)
    path = Path(source)
    if not path.exists():
        if source.count("/") == 1 and not source.startswith((".", "/")):
            return _checked(_of_hub(source), source)
        raise BenchError(f"there is no file or folder {source!r}, and it is no name on the hub (owner/name)")
    return _checked(_of_folder(path) if path.is_dir() else _of_file(path, path.parent), source)


def pick(cases: list[Case], splits: Iterable[str] = (), limit: int | None = None) -> list[Case]:
    """The cases of some splits, at most `limit` of each, spread over the split. Raises BenchError for a split that is not there.

    Splits are compared without case, `-` and `_`. The result goes round the splits: a run that is ended early has something of each.
    """
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.split, []).append(case)
    wanted = [_plain(name) for name in splits]
    known = {_plain(name): name for name in groups}
    for name in wanted:
        if name not in known:
            raise BenchError(f"there is no split {name!r} in the data; it has {', '.join(groups)}")
    chosen = [groups[known[name]] for name in dict.fromkeys(wanted)] if wanted else list(groups.values())
    spread = []
    for group in chosen:
        n = len(group) if limit is None else min(limit, len(group))
        spread.append([group[i * len(group) // n] for i in range(n)])
    longest = max((len(group) for group in spread), default=0)
    return [group[i] for i in range(longest) for group in spread if i < len(group)]


def _plain(name: str) -> str:
    return re.sub(r"[-_\s]", "", name).lower()


def _checked(found: Iterable[Case], source: str) -> list[Case]:
    cases = list(found)
    if not cases:
        raise BenchError(f"{source!r} holds no schemas (*.json, *.jsonl, *.jsonl.gz or *.parquet)")
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise BenchError(f"{source!r} has two cases with the id {case.id!r}; ids must be unique to resume a run")
        seen.add(case.id)
    return cases


def _of_folder(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield from _of_file(path, folder)


def _of_file(path: Path, folder: Path) -> Iterator[Case]:
    name = path.name
    if name.endswith((".jsonl", ".jsonl.gz")):
        yield from _of_lines(path)
    elif name.endswith(".parquet"):
        yield from _of_parquet(path)
    elif name.endswith(".json"):
        place = path.relative_to(folder)
        yield _of_object(
            _parsed(_text(path), str(path)),
            str(place.with_suffix("")),
            place.parts[0] if len(place.parts) > 1 else "",
            str(path),
        )


def _text(path: Path) -> str:
    try:
        if path.name.endswith(".gz"):
            with gzip.open(path, "rt", encoding="utf-8") as stream:
                return stream.read()
        return path.read_text(encoding="utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BenchError(f"cannot read {path}: {error}") from error


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BenchError(f"{place} is not JSON: {error}") from error


def _of_lines(path: Path) -> Iterator[Case]:
    split = path.name.removesuffix(".gz").removesuffix(".jsonl")
    for number, line in enumerate(_text(path).split("\n"), 1):
        if line.strip():
            place = f"{path}, line {number}"
            yield _of_object(_parsed(line, place), f"{split}:{number}", split, place)


def _of_object(value: Any, default_id: str, split: str, place: str) -> Case:
    """A MaskBench case, a row of the hub, or a schema. `split` gives way to what the object says itself."""
    tests: tuple[Instance, ...] = ()
    name = default_id
    schema = value
    if isinstance(value, dict) and "schema" in value and ("tests" in value or "id" in value):
        name, schema = str(value.get("id", default_id)), value["schema"]
        tests = tuple(_instances(value.get("tests", []), place))
        split = str(value.get("split", split))
    elif isinstance(value, dict) and "json_schema" in value:
        name, schema = str(value.get("unique_id", default_id)), value["json_schema"]
        if isinstance(schema, str):
            schema = _parsed(schema, f"{place}, json_schema")
    if not isinstance(schema, dict | bool):
        raise BenchError(f"{place}: a schema is an object or a boolean, not {type(schema).__name__}")
    return Case(name, split or (name.partition("---")[0] if "---" in name else "schemas"), schema, tests)


def _instances(tests: Any, place: str) -> Iterator[Instance]:
    for test in tests if isinstance(tests, list) else [None]:
        if not isinstance(test, dict) or not isinstance(test.get("valid"), bool) or "data" not in test:
            raise BenchError(f"{place}: `tests` must be a list of objects with `valid` (a boolean) and `data`")
        yield Instance(test["data"], test["valid"])


def _of_parquet(path: Path) -> Iterator[Case]:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise BenchError(f"reading {path} needs pyarrow: pip install pyarrow (or datasets)") from error
    try:
        rows = parquet.read_table(path).to_pylist()
    except (OSError, ValueError) as error:
        raise BenchError(f"cannot read {path}: {error}") from error
    # The hub's files are data/SPLIT-00000-of-00001.parquet, or SPLIT/test-00000-of-00001.parquet where the split is a configuration.
    split = re.sub(r"-\d+-of-\d+$", "", path.stem)
    parts = [split] if split not in ("train", "val", "validation", "test") else [path.parent.name, split]
    for number, row in enumerate(rows, 1):
        yield _of_object(row, f"{'/'.join(parts)}:{number}", parts[0], f"{path}, row {number}")


def _of_hub(name: str) -> Iterator[Case]:
    """Every configuration and part of a data set of the hub. Raises BenchError without the packages or the network."""
    try:
        import datasets
    except ImportError:
        seen: set[str] = set()
        for case in _of_folder(_snapshot(name)):  # some layouts hold the union of the splits beside them
            if case.id not in seen:
                seen.add(case.id)
                yield case
        return
    try:
        for configuration in datasets.get_dataset_config_names(name):
            if configuration == "default":
                continue  # the union of the others
            for part, rows in datasets.load_dataset(name, configuration).items():
                for number, row in enumerate(rows, 1):
                    yield _of_object(row, f"{configuration}/{part}:{number}", configuration, f"{name}, {configuration}")
    except (OSError, ValueError) as error:  # what `datasets` raises without network, or for a name that does not exist
        raise BenchError(f"cannot load {name!r} from the hub: {_first_line(error)}") from error


def _snapshot(name: str) -> Path:
    try:
        import huggingface_hub
    except ImportError as error:
        raise BenchError(f"loading {name!r} needs the package datasets, or huggingface_hub and pyarrow") from error
    try:
        folder = huggingface_hub.snapshot_download(name, repo_type="dataset", allow_patterns=["*.parquet"])
    except (OSError, ValueError) as error:  # HfHubHTTPError and LocalEntryNotFoundError are OSErrors
        raise BenchError(f"cannot load {name!r} from the hub: {_first_line(error)}") from error
    return Path(folder)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
