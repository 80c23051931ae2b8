"""The results of a run: JSON Lines that a later run resumes.

In: records. Out: one whole record a line, flushed; the first line is the header with the settings that the figures depend on. A line that
was cut (a kill, a full disk) is dropped when the file is resumed, a write that fails is taken back at once.

A record has `kind` ("engine", "case" or "task"), `engine` and, but for engines, `id`; of two with the same three the later counts.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from structgen.jsonschemabench import BenchError

__all__ = ["FORMAT", "RecordFile", "key_of", "read_records"]

FORMAT = 1
Record = dict[str, Any]


def key_of(record: Record) -> tuple[str, str, str]:
    """What a record is about: (kind, engine, id)."""
    return str(record["kind"]), str(record["engine"]), str(record.get("id", ""))


def read_records(path: Path) -> tuple[Record, dict[tuple[str, str, str], Record], int]:
    """(header, records by key, bytes of the whole lines). A last line that is cut is left out.

    Raises BenchError for a file that cannot be read or whose lines are not records.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BenchError(f"cannot read {path}: {error.strerror or error}") from error
    whole = data[: data.rfind(b"\n") + 1]
    header: Record = {}
    records: dict[tuple[str, str, str], Record] = {}
    lines = whole.split(b"\n")[:-1]
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
            if number == 1:
                if value["kind"] != "header" or value["format"] != FORMAT:
                    raise ValueError("another format")
                header = value
            else:
                records[key_of(value)] = value
        except (ValueError, KeyError, TypeError) as error:
            raise BenchError(
                f"{path}, line {number} is no record of a benchmark ({error}); repair it or use another folder"
            ) from error
    return header, records, len(whole)


class RecordFile:
    """An open results file. Raises BenchError where it cannot be written; the whole records before stay.

    settings: compared with those of a file that is resumed. resume: go on with the file, where there is one.
    """

    def __init__(self, path: Path, settings: Record, about: Record, resume: bool) -> None:
        self.path = path
        self.records: dict[tuple[str, str, str], Record] = {}
        header: Record = {}
        n_bytes = 0
        if path.exists() and path.stat().st_size:
            if not resume:
                raise BenchError(f"{path} holds results already; go on with --resume, or choose another --out")
            header, self.records, n_bytes = read_records(path)
        if header:
            differing = [name for name in settings if header["settings"].get(name) != settings[name]]
            if differing:
                was = ", ".join(
                    f"{name} {header['settings'].get(name)!r} (now {settings[name]!r})" for name in differing
                )
                raise BenchError(f"{path} was made with other settings: {was}; choose another --out")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise BenchError(f"cannot write {path}: {error.strerror or error}") from error
        os.ftruncate(self._file, n_bytes)
        self._n_bytes = n_bytes
        self.header = header or {"kind": "header", "format": FORMAT, "settings": settings, "about": about}
        if not header:
            self._write(self.header)

    def add(self, record: Record) -> None:
        """Append a record. Raises BenchError where the disk takes no more."""
        self._write(record)
        self.records[key_of(record)] = record

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _write(self, record: Record) -> None:
        data = json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"
        done = 0
        try:
            while done < len(data):
                done += os.pwrite(self._file, data[done:], self._n_bytes + done)
        except OSError as error:
            os.ftruncate(self._file, self._n_bytes)
            raise BenchError(
                f"cannot write {self.path}: {error.strerror or error}; {len(self.records)} whole records are kept: "
                "make room and go on with --resume"
            ) from error
        self._n_bytes += len(data)
