"""`structgen.typed`: a function whose body is a model, and types that generate themselves.

    @structgen.typed
    def person_in(text: str) -> Person:
        \"\"\"{text}\"\"\"

    person_in("Ana Silva, 34, lives in Porto.")  # a Person

    @structgen.typed(model="tiny", retries=2)
    class Person(BaseModel): ...

    Person.generate("Ana Silva, 34, lives in Porto.")  # a Person

In: a function with a return annotation, or a type. Out: a `TypedFunction` (`AsyncTypedFunction` for `async def`), or the type itself with
a class method `generate`.

A function's docstring, or what its body returns, is the prompt: `prompts` says which.

What is wrong with a function is said when it is decorated. Only names that may still be defined further down the module (forward
references) are looked for again at the first call.

Limits: a type checker sees no `generate` on a decorated class: mypy ignores what class decorators return, and Python has no type for
"this class and one more method". `asyncio` cancels the waiting, not the thread that generates. A typed method in the body of a Pydantic
model needs `model_config = ConfigDict(ignored_types=(TypedFunction,))`, as every method there that is no plain function does.

Turned down: a plain function with attributes (`instance.method.batch` would lose the instance).
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
import types
import typing
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, Unpack, cast, overload

from structgen.errors import IncompleteError, PromptError, SchemaError
from structgen.generation.controls import Hooks, Shared, check_bounds, check_least, logger
from structgen.generation.describe import How, check_how, described
from structgen.generation.prompts import has_no_body, name_of, template_of
from structgen.generation.values import GenerationResult, ParameterError, Target, check_parameters, read_target
from structgen.schema.options import JsonOptions

if typing.TYPE_CHECKING:
    from typing import Self

    from structgen.generation.events import Event

P = ParamSpec("P")
Q = ParamSpec("Q")
T = TypeVar("T")
C = TypeVar("C")
F = TypeVar("F", bound="_Typed[Any, Any]")

OnError = Literal["raise", "return"]
Prompt = str | Sequence[dict[str, Any]]
Row = tuple[Any, ...] | Mapping[str, Any]

_SHOWN_CHARACTERS = 2000  # of a refused answer, in the prompt that asks again
_SHOWN_ERRORS = 10


class Settings(Shared, total=False):
    """What `typed` and `generate` of a typed class take, all by name.

    model: "tiny" (the default), a hub name, a local path, or a loaded model. retries: how often the model is asked again when the
    type's own validators refuse its answer. describe: a rendering of the schema at the end of the prompt, see `describe`. The others are
    those of `structgen.generate`; a time limit is that of each answer, and of the whole of a batch.
    """

    model: Any
    retries: int
    describe: How
    tokenizer: Any


@dataclass(frozen=True, slots=True)
class _Asking:
    """Checked settings. parameters: those that are handed on as they are."""

    model: Any = "tiny"
    retries: int = 0
    describe: How = None
    parameters: dict[str, Any] = field(default_factory=dict)

    def but(self, settings: Mapping[str, Any]) -> _Asking:
        """These with some changed. Raises ParameterError for a name that `Settings` does not have and values that it cannot have."""
        unknown = sorted(settings.keys() - Settings.__annotations__.keys())
        if unknown:
            raise ParameterError(
                f"unknown setting {unknown[0]!r}; there are {', '.join(sorted(Settings.__annotations__))}"
            )
        own = {name: settings[name] for name in ("model", "retries", "describe") if name in settings}
        others = {name: value for name, value in settings.items() if name not in own}
        made = replace(self, **own, parameters={**self.parameters, **others})
        if isinstance(made.retries, bool) or not isinstance(made.retries, int) or made.retries < 0:
            raise ParameterError(f"retries must be an integer of at least 0, not {made.retries!r}")
        check_how(made.describe)
        get = made.parameters.get
        check_parameters(get("max_new_tokens"), get("temperature", 0.0), get("seed", 0), None)
        check_least(get("min_tokens", 0), get("max_new_tokens"))
        check_bounds(get("time_limit"), get("cancel"))
        Hooks.of(get("on_token"), get("on_field"), get("on_error"))
        if not isinstance(get("heal", False), bool):
            raise ParameterError(f"heal must be True or False, not {get('heal')!r:.80}")
        if not isinstance(get("options"), JsonOptions | None):
            raise ParameterError(f"options must be a structgen.JsonOptions, not {type(get('options')).__name__}")
        return made

    def ask(self, target: Target, prompt: Prompt) -> GenerationResult[Any]:
        """Generate, and while the type's validators refuse the value and retries are left, ask again with what they said.

        Raises what `structgen.generate` raises; pydantic.ValidationError of the last answer, as it is.
        """
        prompt = described(prompt, target.schema, self.describe, target.options)
        return self._settled(target, prompt, _generate(self.model, prompt, target, self.parameters))

    def _settled(
        self, target: Target, prompt: Prompt, result: GenerationResult[Any], row: int = 0
    ) -> GenerationResult[Any]:
        """The result with the typed value, asked again while it is refused and retries are left; what was broken off is not asked again.

        row: its number in a batch, for the hooks."""
        from pydantic import ValidationError

        seed = self.parameters.get("seed", 0)
        attempt = 0
        while True:
            if result.is_partial:
                from structgen.generation.requests import parts_of  # loads numba

                return replace(result, partial=parts_of(result.text, len(result.token_ids), target))
            try:
                return result.with_value(target.validate(result.text))
            except ValidationError as error:
                Hooks.of(on_error=self.parameters.get("on_error")).error(error, row)
                if attempt == self.retries:
                    raise
                asked = _with_refusal(prompt, result.text, error)
            attempt += 1
            logger.info("row %d: the value was refused by its type, attempt %d follows", row, attempt + 1)
            result = _generate(self.model, asked, target, {**self.parameters, "seed": seed + attempt})

    def many(
        self, target: Target, prompts: Sequence[Prompt], in_flight: int
    ) -> Iterator[GenerationResult[Any] | Exception]:
        """`ask` for many prompts, `in_flight` of them in the model at once; what a prompt fails with is its result."""
        from structgen.generation.generator import Generator, RowFailure  # loads numba

        prompts = [described(prompt, target.schema, self.describe, target.options) for prompt in prompts]
        shared: Any = {name: value for name, value in self.parameters.items() if name not in ("tokenizer", "options")}
        generator = Generator(self.model, self.parameters.get("tokenizer"))
        found = generator.batch(prompts, target.schema, in_flight=in_flight, options=target.options, **shared)
        n_found = 0
        for row, (prompt, result) in enumerate(zip(prompts, found, strict=False)):
            n_found += 1
            if isinstance(result, RowFailure):
                yield result.error
                continue
            try:
                yield self._settled(target, prompt, result, row)
            except Exception as error:  # the prompt's own, whatever the type's validators raise
                yield error
        for _ in prompts[n_found:]:  # those that the time limit or a cancellation of the batch left out
            cancel = self.parameters.get("cancel")
            yield IncompleteError("cancelled" if cancel is not None and cancel.is_set() else "time", "")

    def stream(self, tp: Any, target: Target, prompt: Prompt) -> Iterator[Event]:
        """The events of one answer. Retries do not take back what was streamed, so there are none."""
        from structgen.generation.generator import Generator  # loads numba

        prompt = described(prompt, target.schema, self.describe, target.options)
        parameters: Any = {name: value for name, value in self.parameters.items() if name != "tokenizer"}
        return Generator(self.model, self.parameters.get("tokenizer")).stream(prompt, tp, **parameters)


def _generate(model: Any, prompt: Prompt, target: Target, parameters: dict[str, Any]) -> GenerationResult[Any]:
    """The one place where a model is asked; the value is the parsed JSON."""
    from structgen.generation.api import generate  # loads numba, which decorating a function need not

    return generate(model, prompt, target.schema, **{**parameters, "options": target.options})


def _value_or_error(result: GenerationResult[Any]) -> Any:
    try:
        return result.value
    except IncompleteError as error:
        return error


def _with_refusal(prompt: Prompt, text: str, error: Any) -> Prompt:
    """The prompt, the answer that was refused, and why. error: a pydantic.ValidationError."""
    lines = []
    for one in error.errors(include_url=False, include_context=False, include_input=False)[:_SHOWN_ERRORS]:
        place = ".".join(map(str, one["loc"]))
        lines.append(f"- {place}: {one['msg']}" if place else f"- {one['msg']}")
    if len(text) > _SHOWN_CHARACTERS:
        text = text[:_SHOWN_CHARACTERS] + "..."
    reasons = "\n".join(lines)
    if isinstance(prompt, str):
        return f"{prompt}\n\nThis answer was refused:\n{text}\nThe reasons:\n{reasons}\nGive a corrected answer."
    refusal = f"Your answer was refused. The reasons:\n{reasons}\nGive a corrected answer."
    return [*prompt, {"role": "assistant", "content": text}, {"role": "user", "content": refusal}]


# -- functions --------------------------------------------------------------------------------------------------------------------


class _Output:
    """The type that a function returns, resolved when the function is decorated or, where a name is still missing, at the first call."""

    def __init__(
        self, function: types.FunctionType, frame: types.FrameType | None, options: JsonOptions | None
    ) -> None:
        self._what = f"the return annotation of {name_of(function)}"
        if "return" not in function.__annotations__:
            raise SchemaError(f"{name_of(function)} has no return annotation: it says what type to generate")
        self._annotation = function.__annotations__["return"]
        self._globals, self._locals = function.__globals__, _enclosing_names(function, frame)
        self._options = options
        self._target: Target | None = None
        self.type: Any = self._annotation
        try:
            self._target = self._resolved()
        except _Missing:
            return
        self._locals = {}  # frees what the enclosing scopes hold

    @property
    def target(self) -> Target:
        """Raises SchemaError where a name is still missing."""
        if self._target is None:
            try:
                self._target = self._resolved()
            except _Missing as error:
                raise SchemaError(
                    f"{self._what} cannot be resolved: {error}; define what it names in the function's module, or in the functions"
                    " around it and before it"
                ) from error.__cause__
            self._locals = {}
        return self._target

    def _resolved(self) -> Target:
        holder = types.SimpleNamespace(__annotations__={"return": self._annotation})
        try:
            tp = typing.get_type_hints(holder, self._globals, self._locals, include_extras=True)["return"]
        except NameError as error:
            raise _Missing(str(error)) from error
        except (SyntaxError, TypeError, AttributeError, ValueError, LookupError) as error:
            raise SchemaError(f"{self._what} is no type: {error}") from error
        if tp is type(None):
            raise SchemaError(f"{self._what} is None: nothing would be generated")
        if isinstance(tp, dict | bool | str):
            raise SchemaError(f"{self._what} is {tp!r}, which is no type")
        self.type = tp
        try:
            return read_target(tp, self._options)
        except SchemaError as error:
            if _may_come(error):
                raise _Missing(error.reason) from error
            raise SchemaError(f"{self._what}: {error.reason}", error.pointer, error.keyword) from error


class _Missing(Exception):
    """A name in an annotation is not defined (yet)."""


def _may_come(error: SchemaError) -> bool:
    """Whether a type has no schema because a name in it is not defined yet, as in a class that refers to a later one."""
    cause = error.__cause__
    return isinstance(cause, NameError) or getattr(cause, "code", None) in (
        "class-not-fully-defined",
        "undefined-annotation",
    )


def _enclosing_names(function: types.FunctionType, frame: types.FrameType | None) -> dict[str, Any]:
    """The local names of the functions and class bodies around a function, the innermost first. frame: where it is decorated."""
    names: dict[str, Any] = {}
    while frame is not None and frame.f_globals is function.__globals__:
        if not function.__qualname__.startswith(frame.f_code.co_qualname + "."):
            break
        for name, value in frame.f_locals.items():
            names.setdefault(name, value)
        frame = frame.f_back
    return names


class _Function:
    """What is known of a decorated function: how it makes its prompt, what it returns, how it asks."""

    def __init__(self, function: types.FunctionType, asking: _Asking, frame: types.FrameType | None) -> None:
        self.function, self.asking = function, asking
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise ParameterError(
                f"{name_of(function)} is a generator (it has a yield): a typed function returns one value"
            )
        self.output = _Output(function, frame, asking.parameters.get("options"))
        self.signature = inspect.signature(function)
        self.template = template_of(function, self.signature) if has_no_body(function) else None

    def made(self, returned: object) -> str:
        """The prompt that the function's body returned. Raises PromptError if it is none."""
        if not isinstance(returned, str):
            raise PromptError(
                f"{name_of(self.function)} has a body, so it must return its prompt, a string; it returned"
                f" {type(returned).__name__} (a function whose docstring is the prompt has no body)"
            )
        return self._checked(returned)

    def filled(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """The docstring with the arguments. Raises TypeError for wrong arguments, as a call does, PromptError if it cannot be filled."""
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        try:
            return self._checked((self.template or "").format(**bound.arguments))
        except (LookupError, AttributeError, ValueError, TypeError) as error:
            raise PromptError(f"the prompt of {name_of(self.function)} cannot be filled in: {error!r}") from error

    def _checked(self, prompt: str) -> str:
        if not prompt.strip():
            raise PromptError(f"the prompt of {name_of(self.function)} is empty")
        return prompt


class _Typed(Generic[P, T]):
    """What typed functions have in common: identity, binding to instances, rows of a batch."""

    _function: _Function
    _leading: tuple[Any, ...]  # the instance of a bound method

    def __init__(self, function: _Function) -> None:
        functools.update_wrapper(cast("Any", self), function.function)
        self._function, self._leading = function, ()

    def _bound(self: F, instance: object) -> F:
        bound = object.__new__(type(self))
        bound.__dict__.update(self.__dict__)
        bound._leading = (instance,)
        if hasattr(bound, "__wrapped__"):  # a bound method's signature is without the instance
            bound.__wrapped__ = types.MethodType(self._function.function, instance)
        return bound

    def _rows(self, rows: Iterable[Row]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
        """Positional and named arguments of each row. Raises ParameterError for what is neither, or does not fit the function."""
        signature = self._function.signature
        for number, row in enumerate(rows):
            args, kwargs = ((), dict(row)) if isinstance(row, Mapping) else (row, {})
            if not isinstance(args, tuple):
                raise ParameterError(
                    f"row {number} must be a tuple of arguments or a mapping of named ones, not {type(row).__name__}"
                    " (a single argument is the tuple (argument,))"
                )
            try:
                signature.bind(*self._leading, *args, **kwargs)
            except TypeError as error:
                raise ParameterError(
                    f"row {number} does not fit {name_of(self._function.function)}: {error}"
                ) from error
            yield args, kwargs

    def _many(self, prompts: list[str], in_flight: int, on_error: OnError) -> list[Any]:
        if on_error not in ("raise", "return"):
            raise ParameterError(f'on_error must be "raise" or "return", not {on_error!r}')
        function = self._function
        found = list(function.asking.many(function.output.target, prompts, in_flight))
        if on_error == "return":
            return [result if isinstance(result, Exception) else _value_or_error(result) for result in found]
        values = []
        for result in found:
            if isinstance(result, Exception):
                raise result
            values.append(result.value)
        return values

    def _asked(self, prompt: str) -> GenerationResult[T]:
        return self._function.asking.ask(self._function.output.target, prompt)

    def __reduce__(self) -> str:
        return str(self.__qualname__)  # type: ignore[attr-defined] # pickled by name, as functions are

    def __repr__(self) -> str:
        returned = self._function.output.type
        return f"<typed function {name_of(self)} -> {getattr(returned, '__qualname__', returned)}>"


class TypedFunction(_Typed[P, T]):
    """A function that a model computes; made by `typed`. Calling it gives the value.

    A call raises what `structgen.generate` raises, PromptError for a prompt that cannot be made, and pydantic.ValidationError where the
    type's own validators refuse the value after all retries.
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.result(*args, **kwargs).value

    def prompt(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """The prompt that a call with these arguments sends, before a description of the schema is added."""
        function = self._function
        if function.template is not None:
            return function.filled((*self._leading, *args), kwargs)
        return function.made(function.function(*self._leading, *args, **kwargs))

    def result(self, *args: P.args, **kwargs: P.kwargs) -> GenerationResult[T]:
        """The whole result of a call: value, text, tokens, timings. After retries it is the last answer's."""
        return self._asked(self.prompt(*args, **kwargs))

    @overload
    def batch(self, rows: Iterable[Row], *, in_flight: int = 8, on_error: Literal["raise"] = "raise") -> list[T]: ...

    @overload
    def batch(self, rows: Iterable[Row], *, in_flight: int = 8, on_error: Literal["return"]) -> list[T | Exception]: ...

    def batch(self, rows: Iterable[Row], *, in_flight: int = 8, on_error: OnError = "raise") -> Any:
        """The values for rows of arguments, in their order.

        rows: each a tuple of positional arguments or a mapping of named ones. All are checked before the first is generated
        (ParameterError). in_flight: rows in the model at once. on_error: "raise" raises the error of the first row that fails, when
        all are done; "return" puts each row's error in its place.
        """
        prompts = [self.prompt(*args, **kwargs) for args, kwargs in list(self._rows(rows))]
        return self._many(prompts, in_flight, on_error)

    def stream(self, *args: P.args, **kwargs: P.kwargs) -> Iterator[Event]:
        """The events of one call, see `Generator.stream`; `Done.value` is the value. There are no retries."""
        output = self._function.output
        target = output.target
        return self._function.asking.stream(output.type, target, self.prompt(*args, **kwargs))

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...

    @overload
    def __get__(
        self: TypedFunction[Concatenate[Any, Q], T], instance: object, owner: type | None = None
    ) -> TypedFunction[Q, T]: ...

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else self._bound(instance)


class AsyncTypedFunction(_Typed[P, T]):
    """`TypedFunction` of an `async def`: everything is awaited; the model runs in a worker thread."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return (await self.result(*args, **kwargs)).value

    async def prompt(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """As `TypedFunction.prompt`."""
        function = self._function
        if function.template is not None:
            return function.filled((*self._leading, *args), kwargs)
        return function.made(await function.function(*self._leading, *args, **kwargs))

    async def result(self, *args: P.args, **kwargs: P.kwargs) -> GenerationResult[T]:
        """As `TypedFunction.result`."""
        return await asyncio.to_thread(self._asked, await self.prompt(*args, **kwargs))

    @overload
    async def batch(
        self, rows: Iterable[Row], *, in_flight: int = 8, on_error: Literal["raise"] = "raise"
    ) -> list[T]: ...

    @overload
    async def batch(
        self, rows: Iterable[Row], *, in_flight: int = 8, on_error: Literal["return"]
    ) -> list[T | Exception]: ...

    async def batch(self, rows: Iterable[Row], *, in_flight: int = 8, on_error: OnError = "raise") -> Any:
        """As `TypedFunction.batch`."""
        prompts = [await self.prompt(*args, **kwargs) for args, kwargs in list(self._rows(rows))]
        return await asyncio.to_thread(self._many, prompts, in_flight, on_error)

    async def stream(self, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[Event]:
        """As `TypedFunction.stream`."""
        output = self._function.output
        target = output.target
        events = self._function.asking.stream(output.type, target, await self.prompt(*args, **kwargs))
        while (event := await asyncio.to_thread(next, events, None)) is not None:
            yield event

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...

    @overload
    def __get__(
        self: AsyncTypedFunction[Concatenate[Any, Q], T], instance: object, owner: type | None = None
    ) -> AsyncTypedFunction[Q, T]: ...

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else self._bound(instance)


# -- types ------------------------------------------------------------------------------------------------------------------------


class _GenerateMethod(classmethod):  # type: ignore[type-arg]
    """The class method that `typed` adds; recognised when a subclass is decorated as well."""


def _with_generate(cls: type[C], asking: _Asking) -> type[C]:
    """The class with `generate`. Raises SchemaError for a type without a schema, ParameterError where the name is taken."""
    is_annotated = any("generate" in vars(base).get("__annotations__", {}) for base in cls.__mro__)
    present = inspect.getattr_static(cls, "generate", None)
    if is_annotated or (present is not None and not isinstance(present, _GenerateMethod)):
        raise ParameterError(f"{name_of(cls)} has a member 'generate' already, which typed would replace: rename it")
    try:
        read_target(cls, asking.parameters.get("options"))
    except SchemaError as error:
        if not _may_come(error):
            raise

    def generate(owner: type[C], prompt: Prompt, /, **settings: Unpack[Settings]) -> C:
        """An instance of this type, generated. prompt: text or chat messages; the settings replace those of the decorator."""
        chosen = asking.but(settings)
        value: C = chosen.ask(read_target(owner, chosen.parameters.get("options")), prompt).value
        return value

    generate.__qualname__, generate.__module__ = f"{cls.__qualname__}.generate", cls.__module__
    try:
        cls.generate = _GenerateMethod(generate)  # type: ignore[attr-defined]
    except (TypeError, AttributeError) as error:
        raise ParameterError(f"{name_of(cls)} takes no new attributes: {error}") from error
    return cls


# -- the decorator ----------------------------------------------------------------------------------------------------------------


class TypedDecorator:
    """`typed` with settings, before it gets its function or type."""

    __slots__ = ("_asking",)

    def __init__(self, asking: _Asking) -> None:
        self._asking = asking

    @overload  # a class is callable, too: the first that fits counts
    def __call__(self, target: type[C], /) -> type[C]: ...  # type: ignore[overload-overlap]

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, target: Callable[P, Coroutine[Any, Any, T]], /
    ) -> AsyncTypedFunction[P, T]: ...

    @overload
    def __call__(self, target: Callable[P, T], /) -> TypedFunction[P, T]: ...

    def __call__(self, target: Any, /) -> Any:
        return _decorated(target, self._asking, sys._getframe(1))


@overload  # a class is callable, too: the first that fits counts
def typed(target: type[C], /) -> type[C]: ...  # type: ignore[overload-overlap]


@overload
def typed(  # type: ignore[overload-overlap]
    target: Callable[P, Coroutine[Any, Any, T]], /
) -> AsyncTypedFunction[P, T]: ...


@overload
def typed(target: Callable[P, T], /) -> TypedFunction[P, T]: ...


@overload
def typed(**settings: Unpack[Settings]) -> TypedDecorator: ...


def typed(*target: Any, **settings: Any) -> Any:
    """Let a model compute a function, or let a type generate itself. With or without settings: `@typed`, `@typed(model=..., retries=2)`.

    A function's return annotation is the type of the output. Its docstring with the arguments in the places of `{argument}` is the prompt,
    or, where it has a body, the string that it returns (see the module). The result is called like the function, and has `prompt`, `result`
    and `batch`. An `async def` is awaited. A class (Pydantic model, dataclass, TypedDict, named tuple, Enum) gets
    `generate(prompt, **settings)` and is otherwise as it was.

    settings: see `Settings`. Raises, when it decorates: SchemaError (no return annotation, no schema for the type), PromptError (no prompt,
    a placeholder that names no argument, an argument without placeholder), ParameterError (what is neither function nor type, a
    generator, wrong settings).
    """
    if len(target) > 1:
        raise ParameterError("typed takes one function or type; settings go by name, as in typed(model=...)")
    if target and settings:
        raise ParameterError("typed takes a function or settings, not both: write @typed(...) above the function")
    asking = _Asking().but(settings)
    return _decorated(target[0], asking, sys._getframe(1)) if target else TypedDecorator(asking)


def _decorated(target: Any, asking: _Asking, frame: types.FrameType) -> Any:
    if isinstance(target, _Typed):
        raise ParameterError(f"{name_of(target._function.function)} is typed already: decorate it once")
    if isinstance(target, staticmethod | classmethod):
        raise ParameterError(f"write @{type(target).__name__} above @typed, not below it")
    if isinstance(target, type) and typing.get_origin(target) is None:
        return _with_generate(target, asking)
    if not isinstance(target, types.FunctionType):
        raise ParameterError(f"typed decorates a Python function or a class, not {type(target).__name__}")
    function = _Function(target, asking, frame)
    return AsyncTypedFunction(function) if inspect.iscoroutinefunction(target) else TypedFunction(function)


__all__ = ["AsyncTypedFunction", "Settings", "TypedDecorator", "TypedFunction", "typed"]
