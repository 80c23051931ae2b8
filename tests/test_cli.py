"""The command line with a fake engine: words in, text and exit codes out. The real engine is run in tests/test_cli_end_to_end.py."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import structgen
from structgen import cli
from structgen.cli_render import Refusal, printable, sample_of, show_bytes, tokens_of
from structgen.errors import (
    BudgetError,
    LimitExceeded,
    ModelError,
    RegexError,
    SchemaError,
    StructgenError,
    UnsatisfiableError,
    UnsupportedError,
)
from structgen.generation.show import TokenTrace
from structgen.generation.values import FinishReason, GenerationResult, Timings
from structgen.machine import cost
from structgen.vocabulary import Vocabulary

LANGUAGE = ['{"a": 1}', '{"a": 23}', '{"a": "é"}']
SCHEMA = '{"type": "object"}'
END = 256


class FakeMatcher:
    """Accepts the strings of LANGUAGE byte by byte."""

    def __init__(self, done: bytes = b"") -> None:
        self.done = done

    def _rests(self) -> list[bytes]:
        words = [word.encode() for word in LANGUAGE]
        return [word[len(self.done) :] for word in words if word.startswith(self.done)]

    def accept_token(self, token_id: int) -> bool:
        grown = FakeMatcher(self.done + bytes([token_id]))
        if grown._rests():
            self.done = grown.done
            return True
        return False

    def accept_bytes(self, data: bytes) -> bool:
        return all(self.accept_token(byte) for byte in data)

    def explain(self, token_id: int) -> str:
        return f"token {token_id} is refused after {len(self.done)} bytes (at #/properties/a)"

    def fill_next_token_bitmask(self, bitmask: Any, index: int = 0) -> None:
        bitmask[index] = 0
        for rest in self._rests():
            token_id = rest[0] if rest else END
            bits = int(bitmask[index, token_id // 32]) & 0xFFFFFFFF | 1 << token_id % 32
            bitmask[index, token_id // 32] = bits - (1 << 32) if bits >> 31 else bits

    def is_accepting(self) -> bool:
        return b"" in self._rests()

    def forced_tokens(self) -> list[int]:
        rests = self._rests()
        forced = []
        for column in zip(*rests, strict=False):
            if len(set(column)) > 1:
                break
            forced.append(column[0])
        return forced

    def shortest_completion(self) -> list[int]:
        return list(min(self._rests(), key=len))

    def fork(self) -> FakeMatcher:
        return FakeMatcher(self.done)


class FakeGrammar:
    program = types.SimpleNamespace(arena=types.SimpleNamespace(count=lambda table: {"states": 7}[table]))

    def matcher(self) -> FakeMatcher:
        return FakeMatcher()

    def report(self) -> list[tuple[str, str, str, str]]:
        return [("", "type", "enforced", ""), ("/properties/a", "title", "annotation", "ignored\x1b[31m")]


def result_of(text: str, finish_reason: FinishReason) -> GenerationResult[Any]:
    timings = Timings(0.001, 0.1, 0.2, 0.0003, 0.0001, 0.5, n_tokens=3, n_forwards=2)
    return GenerationResult(
        text, None, (1, 2, 3), finish_reason, 0, 11, timings, is_partial=finish_reason in ("time", "cancelled")
    )


def fake_bitmask(batch_size: int, size: int) -> Any:
    import numpy as np

    return np.zeros((batch_size, (size + 31) // 32), dtype=np.int32)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replaces the compiler and the model loader; the dict holds the arguments of the last compile."""
    seen: dict[str, Any] = {}

    class FakeCompiler:
        def __init__(self, vocabulary: Vocabulary) -> None:
            self.vocabulary = vocabulary

        def compile_json_schema(self, schema: Any, options: Any = None) -> FakeGrammar:
            seen.update(schema=schema, options=options)
            return FakeGrammar()

    models = types.ModuleType("structgen.generation.vocabularies")
    vocabulary = Vocabulary.from_bytes([bytes([i]) for i in range(256)] + [None], [END])
    models.load_vocabulary = lambda model: vocabulary  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "structgen.generation.vocabularies", models)
    monkeypatch.setitem(vars(structgen), "Compiler", FakeCompiler)
    monkeypatch.setattr(cost, "cost_of", lambda matcher: cost.Cost(3, True, 17, "light", "under 50 µs"))
    monkeypatch.setitem(vars(structgen), "JsonOptions", lambda **chosen: chosen)
    monkeypatch.setitem(vars(structgen), "allocate_token_bitmask", fake_bitmask)
    return seen


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replaces `structgen.generate`; the dict holds its arguments, and `raises` or `text` steer it."""
    seen: dict[str, Any] = {}

    def generate(model: str, prompt: str, **keywords: Any) -> GenerationResult[Any]:
        seen.update(model=model, prompt=prompt, **keywords)
        if "raises" in seen:
            raise seen["raises"]
        result = result_of(seen.get("text", '{"a": "é"}'), seen.get("finish_reason", "stop"))
        if keywords["trace"]:
            trace = (TokenTrace(1, b'{"a": ', 5, 0.25, 1e-6), TokenTrace(2, '"é"}'.encode(), 1, None, 1e-6))
            result = replace(result, trace=trace)
        if keywords["on_text"] is not None:
            for character in result.text:
                keywords["on_text"](character)
        return result

    monkeypatch.setitem(vars(structgen), "generate", generate)
    monkeypatch.setitem(vars(structgen), "JsonOptions", lambda **chosen: chosen)
    return seen


class Stdin(io.TextIOWrapper):
    def __init__(self, data: bytes, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """(exit code, standard output, standard error) of one command line."""

    def call(*args: str, stdin: bytes = b"", terminal: bool = False) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", Stdin(stdin, terminal))
        if terminal:
            monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
            monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        code = cli.run(args)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_generate_writes_pure_json_to_a_pipe(run: Run, generator: dict[str, Any]) -> None:
    code, out, err = run("generate", "a prompt", "--schema", SCHEMA)
    assert (code, err) == (0, "")
    assert out == '{"a": "é"}\n'
    assert generator["model"] == "tiny"
    assert generator["prompt"] == "a prompt"
    assert generator["schema"] == SCHEMA
    assert generator["options"] is None
    assert generator["on_text"] is None


def test_generate_streams_to_a_terminal(run: Run, generator: dict[str, Any]) -> None:
    generator["text"] = '{"a": "\x9b31m"}'
    code, out, err = run("generate", "p", "--schema", SCHEMA, terminal=True)
    assert code == 0
    assert out == '{"a": "\\x9b31m"}\n'
    assert "3 tokens (2 forward passes, 11 prompt tokens) in 0.50 s; compile 1.00 ms, mask 100 µs per token" in err
    assert "token limit" not in err
    generator["finish_reason"] = "length"
    assert "token limit" in run("generate", "p", "--schema", SCHEMA, terminal=True)[2]


def test_generate_hands_every_option_on(run: Run, generator: dict[str, Any]) -> None:
    words = "--model m --max-new-tokens 9 --temperature 0.5 --seed 3 --property-order any --whitespace compact"
    words += " --integers spec --formats annotate --draft 7 --extra-properties closed --system be-brief"
    words += " --min-tokens 2 --time-limit 1.5 --heal"
    code, _, _ = run("generate", "p", "--schema", SCHEMA, *words.split())
    assert code == 0
    assert generator["model"] == "m"
    assert generator["max_new_tokens"] == 9
    assert generator["temperature"] == 0.5
    assert generator["seed"] == 3
    assert generator["system"] == "be-brief"
    assert (generator["min_tokens"], generator["time_limit"], generator["heal"]) == (2, 1.5, True)
    assert generator["trace"] is False
    assert generator["options"] == {
        "property_order": "any",
        "whitespace": "compact",
        "integers": "spec",
        "formats": "annotate",
        "draft": "7",
        "extra_properties": "closed",
    }


def test_generate_explains_on_standard_error(run: Run, generator: dict[str, Any]) -> None:
    code, out, err = run("generate", "p", "--schema", SCHEMA, "--explain")
    assert (code, out) == (0, '{"a": "é"}\n')
    assert generator["trace"] is True
    assert "2 tokens, 1 forced, 25.0%" in err
    assert "/a " in err


def test_generate_that_is_out_of_time_writes_nothing(run: Run, generator: dict[str, Any], tmp_path: Path) -> None:
    generator["text"], generator["finish_reason"] = '{"a"', "time"
    path = tmp_path / "out.json"
    for words in ([], ["--file", str(path)]):
        code, out, err = run("generate", "p", "--schema", SCHEMA, "--time-limit", "0.5", *words)
        assert (code, out) == (cli.EXIT_LIMIT, "")
        assert "time limit" in err
        assert len(err.splitlines()) == 1
    assert not path.exists()


def test_generate_reads_the_prompt_from_standard_input(run: Run, generator: dict[str, Any]) -> None:
    code, _, _ = run("generate", "--schema", SCHEMA, stdin="Zoë, 34\n".encode())
    assert code == 0
    assert generator["prompt"] == "Zoë, 34"


def test_generate_reads_the_schema_from_a_file_or_standard_input(
    run: Run, generator: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(b"\xef\xbb\xbf" + SCHEMA.encode())
    assert run("generate", "p", "--schema", str(path))[0] == 0
    assert generator["schema"] == SCHEMA
    assert run("generate", "p", "--schema", "-", stdin=b"true")[0] == 0
    assert generator["schema"] == "true"


def test_generate_takes_a_python_type(
    run: Run, generator: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_types.py").write_text("class Outer:\n    class Inner: pass\n")
    (tmp_path / "my_broken.py").write_text("1 / 0\n")
    (tmp_path / "my_importer.py").write_text("import no_such_module_here\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert run("generate", "p", "--pydantic", "my_types:Outer.Inner")[0] == 0
    assert generator["schema"].__qualname__ == "Outer.Inner"
    for name, message in {
        "my_types:Absent": "has no Absent",
        "my_types": "module:Model",
        "absent_module.sub:A": "no module 'absent_module'",
        "my_broken:A": "ZeroDivisionError",
        "my_importer:A": "no_such_module_here",
    }.items():
        code, out, err = run("generate", "p", "--pydantic", name)
        assert (code, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1


def test_generate_writes_a_file_whole_or_not_at_all(run: Run, generator: dict[str, Any], tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    code, out, _ = run("generate", "p", "--schema", SCHEMA, "--file", str(target))
    assert (code, out) == (0, "")
    assert target.read_text(encoding="utf-8") == '{"a": "é"}\n'
    generator["raises"] = BudgetError(9, 3)
    assert run("generate", "p", "--schema", SCHEMA, "--file", str(target))[0] == 4
    assert target.read_text(encoding="utf-8") == '{"a": "é"}\n'
    assert list(tmp_path.iterdir()) == [target]
    for bad in (tmp_path, tmp_path / "absent" / "out.json"):
        code, _, err = run("generate", "p", "--schema", SCHEMA, "--file", str(bad))
        assert code == 2
        assert str(bad) in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SchemaError("type must be a string", "/properties/a", "type"), 2),
        (UnsatisfiableError("minItems 3 is above maxItems 2", "/items"), 2),
        (RegexError("nothing to repeat", "a**", 2), 2),
        (ModelError("no such model"), 2),
        (UnsupportedError("not is not enforced", "/not", "not"), 3),
        (BudgetError(9, 3), 4),
        (LimitExceeded(10, 5, "max_depth"), 4),
        (StructgenError("anything else"), 2),
        (ZeroDivisionError("division by zero"), 1),
    ],
)
def test_errors_are_one_line_with_their_exit_code(
    run: Run, generator: dict[str, Any], error: Exception, code: int
) -> None:
    generator["raises"] = error
    got, out, err = run("generate", "p", "--schema", SCHEMA)
    assert (got, out) == (code, "")
    assert err.startswith("error: ")
    assert str(error) in err
    assert err.count("\n") == 1 + str(error).count("\n")
    assert "Traceback" not in err
    assert ("report" in err) == (code == 1)
    got, _, err = run("generate", "p", "--schema", SCHEMA, "--debug")
    assert got == code
    assert "Traceback" in err


def test_a_types_own_validators_are_no_internal_error(run: Run, generator: dict[str, Any]) -> None:
    from pydantic import TypeAdapter, ValidationError

    with pytest.raises(ValidationError) as raised:
        TypeAdapter(int).validate_python("x")
    generator["raises"] = raised.value
    code, _, err = run("generate", "p", "--schema", SCHEMA)
    assert code == 2
    assert "own validators" in err


def test_errors_escape_control_characters(run: Run, generator: dict[str, Any]) -> None:
    generator["raises"] = SchemaError("unknown \x1b[2J\r", "/\x07")
    _, _, err = run("generate", "p", "--schema", SCHEMA)
    assert "\\x1b[2J\\r" in err
    assert "\x1b" not in err
    assert "\x07" not in err


@pytest.mark.parametrize(
    "args",
    [
        ["frob"],
        ["generate"],
        ["generate", "p"],
        ["generate", "p", "--schema", SCHEMA, "--pydantic", "a:B"],
        ["generate", "p", "--schema", SCHEMA, "--max-new-tokens", "-1"],
        ["generate", "p", "--schema", SCHEMA, "--max-new-tokens", "x"],
        ["generate", "p", "--schema", SCHEMA, "--temperature", "-1"],
        ["generate", "p", "--schema", SCHEMA, "--property-order", "random"],
        ["generate", "p", "--schema", SCHEMA, "--no-such-option"],
        ["generate", "--schema", "-"],
        ["generate", "p", "--schema", "no-such-file.json"],
        ["generate", "p", "--schema", "."],
        ["generate", "p", "--schema", "\0"],
        ["check"],
        ["mask", "{"],
    ],
)
def test_usage_errors_exit_with_2_in_one_line(run: Run, generator: dict[str, Any], args: list[str]) -> None:
    code, out, err = run(*args, terminal=True)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "prompt" not in generator


def test_schema_that_is_no_json_gets_a_caret(run: Run, generator: dict[str, Any]) -> None:
    code, _, err = run("generate", "p", "--schema", '{"a":\n  1,}')
    assert code == 2
    lines = err.splitlines()
    assert "line 2, column 5" in lines[0]
    assert lines[1] == "    1,}"
    assert lines[2].index("^") == lines[1].index("}")
    code, _, err = run("generate", "p", "--schema", "-", stdin=b'{"a": "\xff"}')
    assert code == 2
    assert "byte 7 is 0xff" in err


def test_schema_too_deep_for_the_json_module_reaches_the_compiler(run: Run, generator: dict[str, Any]) -> None:
    deep = '{"not":' * 200_000 + "true" + "}" * 200_000
    generator["raises"] = LimitExceeded(200_000, 2_000, "max_depth")
    code, _, err = run("generate", "p", "--schema", deep)
    assert code == 4
    assert "max_depth" in err


def test_interrupt_and_broken_pipe_have_their_exit_codes(run: Run, generator: dict[str, Any]) -> None:
    generator["raises"] = KeyboardInterrupt()
    assert run("generate", "p", "--schema", SCHEMA)[0] == 130


def test_no_command_prints_the_help(run: Run) -> None:
    code, out, err = run()
    assert code == 2
    assert "generate" in out
    assert err == ""


@pytest.mark.parametrize("command", ["generate", "check", "mask"])
def test_help_exits_with_0(run: Run, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert "--schema" in out


def test_check_on_a_pipe_is_tab_separated(run: Run, engine: dict[str, Any]) -> None:
    code, out, err = run("check", "--schema", SCHEMA)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split("\t") == ["pointer", "keyword", "status", "note"]
    assert lines[1].split("\t") == ["#", "type", "enforced", ""]
    assert lines[2].split("\t") == ["#/properties/a", "title", "annotation", "ignored\\x1b[31m"]
    costs = dict(line.split("\t") for line in lines[4:])
    assert costs["states so far"] == "7"
    assert costs["tokens allowed first"] == "1 of 257"
    assert costs["shortest output"] == "8 tokens"
    assert costs["states at the top level"] == "more than 3"
    assert costs["a new mask"] == "light: 17 steps, under 50 µs"
    assert costs["decided when an item ends"] == "nothing"
    assert engine["schema"] == SCHEMA


def test_check_on_a_terminal_has_the_same_words(run: Run, engine: dict[str, Any]) -> None:
    code, out, _ = run("check", "--schema", SCHEMA, terminal=True)
    assert code == 0
    for word in ("/properties/a", "enforced", "annotation", "first mask", "1 of 257"):
        assert word in out
    assert "\x1b[31m" not in out.replace("\x1b[31menforced", "")


def test_check_as_json(run: Run, engine: dict[str, Any]) -> None:
    code, out, _ = run("check", "--schema", SCHEMA, "--json", "--integers", "spec")
    found = json.loads(out)
    assert code == 0
    assert found["report"][0] == {"pointer": "#", "keyword": "type", "status": "enforced", "note": ""}
    assert found["cost"]["n_states"] == 7
    assert (found["cost"]["top_states"], found["cost"]["mask_class"], found["cost"]["by_text"]) == (3, "light", [])
    assert engine["options"] == {"integers": "spec"}


def test_mask_shows_what_may_come(run: Run, engine: dict[str, Any]) -> None:
    code, out, _ = run("mask", '{"a": ', "--schema", SCHEMA)
    assert code == 0
    assert "3 of 257" in out
    assert "may end   no" in out
    assert "forced    nothing" in out
    assert 'shortest  "1}"' in out
    code, out, _ = run("mask", "--schema", SCHEMA)
    assert code == 0
    assert 'forced    "{\\"a\\": "' in out
    assert "may end   yes" in run("mask", '{"a": 1}', "--schema", SCHEMA)[1]


def test_mask_says_why_a_continuation_is_refused(run: Run, engine: dict[str, Any]) -> None:
    code, out, _ = run("mask", '{"a": ', "--then", "23}", "--schema", SCHEMA)
    assert code == 0
    assert '"23}" is allowed' in out
    code, out, _ = run("mask", '{"a": ', "--then", "24}", "--schema", SCHEMA)
    assert code == 0
    assert "refused at byte 1" in out
    assert "#/properties/a" in out
    lines = out.splitlines()
    assert lines[-2][lines[-1].index("^")] == "4"
    code, out, _ = run("mask", '{"a": ', "--then", "24}", "--schema", SCHEMA, "--json")
    found = json.loads(out)
    assert found["then"]["allowed"] is False
    assert found["then"]["refused_at_byte"] == 1
    assert found["n_allowed"] == 3


def test_mask_refuses_a_text_that_does_not_fit(run: Run, engine: dict[str, Any]) -> None:
    code, out, err = run("mask", '{"b": ', "--schema", SCHEMA)
    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert "byte 2" in lines[0]
    assert lines[1][lines[2].index("^")] == "b"


def test_tokens_of_reads_every_bit() -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    for size in (1, 31, 32, 33, 100):
        chosen = [t for t in range(size) if rng.random() < 0.4]
        row = np.zeros((size + 31) // 32, dtype=np.uint32)
        for token_id in chosen:
            row[token_id // 32] |= np.uint32(1) << np.uint32(token_id % 32)
        assert tokens_of(row.view(np.int32), size) == chosen


def test_sample_is_short_tokens_first() -> None:
    assert sample_of([0, 1, 2, 3], [b"bb", b"a", None, b"c"], 2) == [(1, b"a"), (3, b"c")]


def test_bytes_and_controls_are_shown_readably() -> None:
    assert show_bytes("é\n".encode()) == '"é\\n"'
    assert show_bytes(b"\xc3") == "'\\xc3'"
    assert printable("a\nb\x1b") == "a\nb\\x1b"
    assert printable("a\nb", newlines=True) == "a\\nb"
    assert Refusal(b"ab\ncd", 3, "why").caret().splitlines() == ["  ab\\ncd", "      ^"]


def test_python_dash_m_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "structgen", "generate", "p"], capture_output=True, text=True, check=False, input=""
    )
    assert done.returncode == 2
    assert done.stderr == "error: give either --schema or --pydantic\n"


def test_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "structgen", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        error = process.stderr.read()
        process.wait()
    assert error == b""
    assert process.returncode in (0, 141)
