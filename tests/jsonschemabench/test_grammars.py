"""The benchmark on grammars: its texts mean the same to structgen's lexings, and a run yields a row for each grammar and engine."""

from __future__ import annotations

import importlib.util
import json

import pytest

from structgen import Compiler, GrammarSyntaxError, Vocabulary
from structgen.jsonschemabench import BenchError
from structgen.jsonschemabench.grammar_run import GRAMMAR_ENGINES, as_json, as_table, run_grammars
from structgen.jsonschemabench.grammar_texts import TEXTS

SENTENCES = {
    "sql": "SELECT a.b AS c, count(*) FROM t LEFT JOIN u ON t.x = u.y WHERE n NOT IN (1, 2) ORDER BY a DESC LIMIT 3;",
    "python": "def f(a, b=1):\n    if a < b:\n        return a\n    else:\n        pass\nx = [y for y in f(2)]\n",
    "json": '{"a": [1, -2.5e3, "x\\n"], "b": null}',
    "arithmetic": "-(a + 2.5) * f(x, 3) ^ 2",
    "csv": 'a,"b ""c""",\n1,,2\n',
    "xml": '<list x="1"><a/>text &amp;<b>more</b></list>',
    "iso_date": "2024-02-29T23:59:59.5+01:00",
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("lexer", ["dynamic", "contextual"])
def test_texts_mean_what_they_say(name: str, lexer: str) -> None:
    vocabulary = Vocabulary.from_bytes([*(bytes([byte]) for byte in range(256)), None], [256])
    if (name, lexer) == ("python", "contextual"):  # `a if b else c` beside `for x in y if`
        with pytest.raises(GrammarSyntaxError, match=r"LALR\(1\)"):
            Compiler(vocabulary).compile_grammar(TEXTS[name], lexer=lexer)
        return
    matcher = Compiler(vocabulary).compile_grammar(TEXTS[name], lexer=lexer).matcher()
    assert all(matcher.accept_token(byte) for byte in SENTENCES[name].encode())
    assert matcher.is_accepting()


def test_a_run_has_a_row_for_each_grammar_and_engine() -> None:
    engines = [name for name in GRAMMAR_ENGINES if name.startswith("structgen")]
    if importlib.util.find_spec("llguidance"):
        engines.append("llguidance")
    rows = run_grammars("tiny", ("json", "iso_date"), engines, steps=12)
    assert [(row.grammar, row.engine) for row in rows] == [(g, e) for g in ("json", "iso_date") for e in engines]
    assert all(row.steps == 12 and not row.error for row in rows)
    assert all(0 < row.warm_us <= row.warm_p99_us and 0 < row.cold_us <= row.cold_p99_us for row in rows)
    assert len(as_table(rows)) == 1 + len(rows)
    assert [row["engine"] for row in json.loads(as_json(rows))] == engines * 2


def test_unknown_names() -> None:
    with pytest.raises(BenchError, match="no grammar 'cobol'"):
        run_grammars("tiny", ("cobol",))
    with pytest.raises(BenchError, match="no engine 'other'"):
        run_grammars("tiny", ("json",), ("other",))
