"""The `structgen` command: `generate`, `check`, `mask` and `bench`.

    structgen generate PROMPT --schema FILE     valid JSON out of a model: streamed to a terminal, one line of pure JSON to a pipe
    structgen check --schema FILE               what of the schema is enforced, and what it costs
    structgen mask TEXT --schema FILE           what may come after a text, and why a continuation may not
    structgen bench --out DIR                   the JSONSchemaBench suite, see cli_bench

In: words, files, standard input (see cli_input). Out: results on standard output, everything else on standard error, and an
exit code: 0 done, 1 internal error, 2 bad input or usage, 3 a schema that cannot be enforced in full, 4 a limit (of time too) or token
budget, 130 interrupted.

Errors are one readable line, with the JSON Pointer or a caret where there is a place to point at; `--debug` adds the traceback.
This module loads no model and no engine before a command asks for one, so `--help` and usage errors are instant.

Turned down: Typer's own error boxes (several lines of frame around one sentence, and the same exit code for everything).
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO

import typer

import structgen
from structgen import cli_render
from structgen.cli_bench import bench
from structgen.cli_input import InputError, read_prompt, read_schema
from structgen.errors import BudgetError, IncompleteError, LimitExceeded, StructgenError, UnsupportedError

EXIT_INTERNAL = 1
EXIT_BAD_INPUT = 2
EXIT_UNSUPPORTED = 3
EXIT_LIMIT = 4
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141  # as a shell reports a process that SIGPIPE ended

app = typer.Typer(
    name="structgen",
    help="JSON that always fits its schema, out of any language model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class PropertyOrder(StrEnum):
    schema = "schema"
    any = "any"


class Integers(StrEnum):
    plain = "plain"
    spec = "spec"


class Formats(StrEnum):
    assertion = "assert"
    annotate = "annotate"


class ExtraProperties(StrEnum):
    schema = "schema"
    closed = "closed"


SchemaOption = Annotated[
    str | None,
    typer.Option(
        "--schema", "-s", metavar="FILE", help="JSON Schema: a file, - for standard input, or the JSON itself."
    ),
]
PydanticOption = Annotated[
    str | None,
    typer.Option(
        "--pydantic", "-p", metavar="MODULE:MODEL", help="A Pydantic model or another Python type instead of a schema."
    ),
]
ModelOption = Annotated[
    str, typer.Option("--model", "-m", metavar="NAME", help="'tiny' (embedded), a hub name or a local path.")
]
OrderOption = Annotated[
    PropertyOrder | None,
    typer.Option("--property-order", help="Keys in the schema's order, or in any.", show_default="schema"),
]
WhitespaceOption = Annotated[
    str | None,
    typer.Option("--whitespace", help="flexible, compact, any, or a regex.", show_default="flexible", metavar="STYLE"),
]
IntegersOption = Annotated[
    Integers | None, typer.Option("--integers", help="spec: 1.0 is an integer too.", show_default="plain")
]
FormatsOption = Annotated[
    Formats | None, typer.Option("--formats", help="Enforce `format`, or only read it.", show_default="assert")
]
DraftOption = Annotated[
    str | None,
    typer.Option("--draft", metavar="DRAFT", help="The dialect where the schema names none (2020-12, 7, ...)."),
]
ExtraOption = Annotated[
    ExtraProperties | None,
    typer.Option(
        "--extra-properties",
        help="closed: no keys but the declared ones; Python types always are.",
        show_default="schema",
    ),
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


@app.command()
def generate(
    prompt: Annotated[str | None, typer.Argument(help="The prompt; without it, standard input is read.")] = None,
    schema: SchemaOption = None,
    pydantic: PydanticOption = None,
    model: ModelOption = "tiny",
    max_new_tokens: Annotated[int | None, typer.Option(min=0, help="Tokens at most, without the end token.")] = None,
    temperature: Annotated[float, typer.Option(min=0.0, help="0 takes the likeliest token each time.")] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 0,
    system: Annotated[
        str | None, typer.Option("--system", metavar="TEXT", help="A system message for the model's chat template.")
    ] = None,
    min_tokens: Annotated[int, typer.Option(min=0, help="Tokens at least, where the schema lets it go on.")] = 0,
    time_limit: Annotated[
        float | None, typer.Option(min=0.0, metavar="SECONDS", help="End with an error when it is not done by then.")
    ] = None,
    heal: Annotated[bool, typer.Option("--heal", help="Generate the prompt's last token again with the text.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show on standard error what the constraint did to each token and field.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option("--file", "-o", metavar="FILE", help="Write the JSON there, whole or not at all.")
    ] = None,
    property_order: OrderOption = None,
    whitespace: WhitespaceOption = None,
    integers: IntegersOption = None,
    formats: FormatsOption = None,
    draft: DraftOption = None,
    extra_properties: ExtraOption = None,
    debug: DebugOption = False,
) -> None:
    """Generate JSON that fits a schema from a prompt."""
    del debug  # read by `main`
    if prompt is None and schema == "-":
        raise InputError("standard input holds the schema; give the prompt as an argument")
    target = read_schema(schema, pydantic)
    text = read_prompt(prompt)
    if file is not None:
        _check_writable(file)
    options = _json_options(property_order, whitespace, integers, formats, draft, extra_properties)
    to_terminal = file is None and sys.stdout.isatty()
    result = structgen.generate(
        model,
        text,
        schema=target,
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        seed=seed,
        options=options,
        system=system,
        min_tokens=min_tokens,
        time_limit=time_limit,
        heal=heal,
        trace=explain,
        on_text=_stream if to_terminal else None,
    )
    if to_terminal:
        _stream("\n")
    if explain:
        result.show(sys.stderr)
    if result.is_partial:
        raise IncompleteError(result.finish_reason, result.text)
    if file is not None:
        _write_whole(file, result.text + "\n")
    elif not to_terminal:
        _emit(result.text + "\n")
    if sys.stderr.isatty():
        cli_render.print_timings(result)


@app.command()
def check(
    schema: SchemaOption = None,
    pydantic: PydanticOption = None,
    model: ModelOption = "tiny",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    property_order: OrderOption = None,
    whitespace: WhitespaceOption = None,
    integers: IntegersOption = None,
    formats: FormatsOption = None,
    draft: DraftOption = None,
    extra_properties: ExtraOption = None,
    debug: DebugOption = False,
) -> None:
    """Compile a schema: what of it is enforced, and what it costs."""
    del debug
    from structgen.machine.cost import cost_of

    target = read_schema(schema, pydantic)
    options = _json_options(property_order, whitespace, integers, formats, draft, extra_properties)
    vocabulary, compiler, load_s, start_up_s = _engine(model)
    started = time.perf_counter()
    try:
        grammar = compiler.compile_json_schema(target, options=options)
    except UnsupportedError:
        # The error names the first keyword that is refused; who asks for a report wants to see them all.
        cli_render.print_check(_report_of_refused(target, options), None, as_json=as_json)
        raise
    compiled = time.perf_counter()
    bitmask = structgen.allocate_token_bitmask(1, vocabulary.size)
    matcher = grammar.matcher()
    matcher.fill_next_token_bitmask(bitmask, 0)
    masked = time.perf_counter()
    rows = grammar.report()
    counted = cost_of(matcher)
    cost = cli_render.Cost(
        vocabulary_size=vocabulary.size,
        load_ms=load_s * 1e3,
        start_up_ms=start_up_s * 1e3,
        compile_ms=(compiled - started) * 1e3,
        first_mask_ms=(masked - compiled) * 1e3,
        n_first_tokens=len(cli_render.tokens_of(bitmask[0], vocabulary.size)),
        shortest_tokens=len(matcher.shortest_completion()),
        n_states=grammar.program.arena.count("states"),
        top_states=counted.top_states,
        top_states_capped=counted.is_capped,
        mask_steps=counted.mask_steps,
        mask_class=counted.mask_class,
        mask_time=counted.mask_time,
        by_text=[pointer for pointer, keyword, status, _ in rows if (keyword, status) == ("uniqueItems", "enforced")],
    )
    cli_render.print_check(rows, cost, as_json=as_json)


@app.command()
def mask(
    text: Annotated[str, typer.Argument(help="What the output starts with.")] = "",
    then: Annotated[
        str | None, typer.Option("--then", metavar="TEXT", help="Ask whether this may follow, and why not.")
    ] = None,
    schema: SchemaOption = None,
    pydantic: PydanticOption = None,
    model: ModelOption = "tiny",
    n_tokens: Annotated[int, typer.Option("--tokens", min=0, help="How many of the allowed tokens to show.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
    property_order: OrderOption = None,
    whitespace: WhitespaceOption = None,
    integers: IntegersOption = None,
    formats: FormatsOption = None,
    draft: DraftOption = None,
    extra_properties: ExtraOption = None,
    debug: DebugOption = False,
) -> None:
    """Show which tokens may follow a text, and why a continuation may not."""
    del debug
    target = read_schema(schema, pydantic)
    options = _json_options(property_order, whitespace, integers, formats, draft, extra_properties)
    vocabulary, compiler, _, _ = _engine(model)
    matcher = compiler.compile_json_schema(target, options=options).matcher()
    refusal = _advance(matcher, vocabulary, text.encode("utf-8"))
    if refusal is not None:
        raise InputError(f"the text does not fit the schema: {cli_render.refusal_line(refusal)}\n{refusal.caret()}")
    bitmask = structgen.allocate_token_bitmask(1, vocabulary.size)
    matcher.fill_next_token_bitmask(bitmask, 0)
    allowed = cli_render.tokens_of(bitmask[0], vocabulary.size)
    view = cli_render.MaskView(
        text=text,
        vocabulary_size=vocabulary.size,
        allowed=allowed,
        sample=cli_render.sample_of(allowed, vocabulary.token_bytes, n_tokens),
        may_end=matcher.is_accepting(),
        forced=vocabulary.decode(matcher.forced_tokens()),
        shortest=vocabulary.decode(matcher.shortest_completion()),
    )
    if then is not None:
        view.then = then
        view.then_refusal = _advance(matcher.fork(), vocabulary, then.encode("utf-8"))
    cli_render.print_mask(view, as_json=as_json)


app.command()(bench)


def _json_options(
    property_order: PropertyOrder | None,
    whitespace: str | None,
    integers: Integers | None,
    formats: Formats | None,
    draft: str | None,
    extra_properties: ExtraProperties | None,
) -> Any:
    """`JsonOptions` with what was given, or None if nothing was: the defaults of schemas and of Python types differ."""
    given: dict[str, Any] = {
        "property_order": property_order and property_order.value,
        "whitespace": whitespace,
        "integers": integers and integers.value,
        "formats": formats and formats.value,
        "draft": draft,
        "extra_properties": extra_properties and extra_properties.value,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    return structgen.JsonOptions(**chosen) if chosen else None


def _engine(model: str) -> tuple[Any, Any, float, float]:
    """(vocabulary, compiler, seconds to load the tokenizer and Python's packages, seconds to start the engine).

    The machine's code is loaded or compiled here, so that later figures are the schema's own.
    """
    from structgen.generation.vocabularies import load_vocabulary

    started = time.perf_counter()
    vocabulary = load_vocabulary(model)
    loaded = time.perf_counter()
    compiler = structgen.Compiler(vocabulary)
    bitmask = structgen.allocate_token_bitmask(1, vocabulary.size)
    compiler.compile_json_schema({"const": ""}).matcher().fill_next_token_bitmask(bitmask, 0)
    return vocabulary, compiler, loaded - started, time.perf_counter() - loaded


def _report_of_refused(target: Any, options: Any) -> Any:
    """The rows of `CompiledGrammar.report()` for a schema that does not compile because something in it is unsupported."""
    from structgen.errors import Limits
    from structgen.schema.keywords import report
    from structgen.schema.references import Document

    if not isinstance(target, str):
        from structgen.schema.types import schema_of

        target = schema_of(target).schema
    return report(Document(target, options=options or structgen.JsonOptions(), limits=Limits()))


def _advance(matcher: Any, vocabulary: Any, data: bytes) -> cli_render.Refusal | None:
    """Feed bytes to the matcher in canonical tokens; what is refused first, at its first wrong byte, or None when all are in."""
    position = 0
    for token_id in vocabulary.encode(data):
        token = vocabulary.token_bytes[token_id] or b""
        if not matcher.accept_token(token_id):
            reason = matcher.explain(token_id)
            fork = matcher.fork()
            n_fitting = next((n for n in range(len(token)) if not fork.accept_bytes(token[n : n + 1])), 0)
            return cli_render.Refusal(data, position + n_fitting, reason)
        position += len(token)
    return None


def _stream(piece: str) -> None:
    """To the terminal, at once; what would move its cursor or colours is shown as an escape."""
    sys.stdout.write(cli_render.printable(piece))
    sys.stdout.flush()


def _emit(text: str) -> None:
    """To a pipe, as UTF-8 whatever the locale says: JSON is UTF-8."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def _check_writable(path: Path) -> None:
    """Before the model runs, not after: an output that cannot be written is the user's error."""
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"cannot write {path}: the folder {path.parent} is missing or not writable")


def _write_whole(path: Path, text: str) -> None:
    """Write beside the target and rename, so that the file holds the whole record or is as it was."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8"))
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def exit_code_of(error: BaseException) -> int:
    """The exit code that an error stands for."""
    if isinstance(error, UnsupportedError):
        return EXIT_UNSUPPORTED
    if isinstance(error, BudgetError | IncompleteError | LimitExceeded):
        return EXIT_LIMIT
    if isinstance(error, StructgenError | typer.TyperException) or _is_validator_error(error):
        return EXIT_BAD_INPUT
    return EXIT_INTERNAL


def _is_validator_error(error: BaseException) -> bool:
    """Pydantic's ValidationError: a Python type's own validators refused the finished value. Known by name, to leave Pydantic unloaded."""
    kind = type(error)
    return kind.__name__ == "ValidationError" and kind.__module__.partition(".")[0] in ("pydantic", "pydantic_core")


def run(args: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors are printed to standard error.

    args: the words after the program's name. Nothing is raised but what ends the interpreter.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            code = app(args=list(args), prog_name="structgen", standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as error:
        # The reader went away (`| head`): nothing to say, and nothing more may be written at exit. Typer turns it into an exit with 1.
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except (KeyboardInterrupt, typer.Abort):
        cli_render.print_error("interrupted")
        return EXIT_INTERRUPTED
    except Exception as error:  # the last line of defence: every error becomes a line and an exit code
        if "--debug" in args:
            traceback.print_exc()
        code = exit_code_of(error)
        if code == EXIT_INTERNAL:
            cli_render.print_error(
                f"internal error: {type(error).__name__}: {error}",
                hint="this is a fault of structgen; please report it with the output of --debug",
            )
        elif isinstance(error, typer.TyperException):
            message = error.format_message().rstrip(".")
            if message:  # empty where no command was given: the help has been printed
                cli_render.print_error(message, hint="see structgen --help")
        elif _is_validator_error(error):
            cli_render.print_error(f"the type's own validators refuse the generated value: {error}")
        else:
            cli_render.print_error(str(error))
        return code
    return code if isinstance(code, int) else 0


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Warnings that are about the user's input (an unknown format, say) without Python's file and line."""
    if category is UserWarning and Path(filename).is_relative_to(Path(__file__).parent):
        cli_render.print_warning(str(message))
    else:
        (file or sys.stderr).write(warnings.formatwarning(message, category, filename, lineno, line))


def main() -> NoReturn:
    """The entry point of the console script and of `python -m structgen`."""
    sys.exit(run(sys.argv[1:]))
