"""Typed views of raw addresses, and the decorator for compiled entry points.

A numba call costs about 50 ns for every array argument, and a non-inlined call inside numba code copies every array struct that it
passes (measured: 38 arrays 1.95 us). The machine has some 60 tables, so it keeps their addresses in one int64 array, the *context*,
and each function takes the pointers that it needs: `i32(P, SLOT)[i]`. The owner of a context (structgen.machine.arena) keeps the
arrays alive for as long as the context is used and writes a new address when a table grows.

Alternatives turned down: a structref (every field access counts references) and one big int32 arena (offsets instead of names).
"""

from __future__ import annotations

import functools
import hashlib
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit, types
from numba.core.compiler import Compiler
from numba.core.typing.templates import AbstractTemplate, Signature, infer_global
from numba.extending import intrinsic, lower_builtin, models, register_model


class Table(types.Type):
    """Type of a pointer to integers in memory; reads are widened to int64, so that each kernel is compiled for one signature."""

    def __init__(self, element: types.Integer) -> None:
        self.element = element
        super().__init__(name=f"Table({element})")


_I32, _I64, _U8 = Table(types.int32), Table(types.int64), Table(types.uint8)


@register_model(Table)
class _TableModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager, table):  # type: ignore[no-untyped-def]
        super().__init__(manager, table, manager.lookup(table.element).get_data_type().as_pointer())


@infer_global(operator.getitem)
class _TableGet(AbstractTemplate):  # type: ignore[misc]
    def generic(self, args, kws):  # type: ignore[no-untyped-def]
        if isinstance(args[0], Table) and isinstance(args[1], types.Integer):
            return Signature(types.int64, (args[0], types.int64), None)
        return None


@infer_global(operator.setitem)
class _TableSet(AbstractTemplate):  # type: ignore[misc]
    def generic(self, args, kws):  # type: ignore[no-untyped-def]
        if (
            isinstance(args[0], Table)
            and isinstance(args[1], types.Integer)
            and isinstance(args[2], (types.Integer, types.Boolean))
        ):
            return Signature(types.none, (args[0], types.int64, types.int64), None)
        return None


@lower_builtin(operator.getitem, Table, types.Integer)
def _lower_get(context, builder, sig, args):  # type: ignore[no-untyped-def]
    value = builder.load(builder.gep(args[0], [args[1]]))
    return context.cast(builder, value, sig.args[0].element, types.int64)


@lower_builtin(operator.setitem, Table, types.Integer, types.Integer)
def _lower_set(context, builder, sig, args):  # type: ignore[no-untyped-def]
    value = context.cast(builder, args[2], types.int64, sig.args[0].element)
    builder.store(value, builder.gep(args[0], [args[1]]))


def _view(table: Table) -> Any:
    """An intrinsic (context, slot) -> the table whose address stands in context[slot]."""

    @intrinsic
    def view(typingctx, context, slot):  # type: ignore[no-untyped-def]
        def codegen(target, builder, sig, args):  # type: ignore[no-untyped-def]
            address = builder.load(builder.gep(args[0], [args[1]]))
            return builder.inttoptr(address, target.get_value_type(sig.return_type))

        return table(_I64, types.int64), codegen

    return view


i32, i64, u8 = _view(_I32), _view(_I64), _view(_U8)


@intrinsic
def at_i64(typingctx, address):  # type: ignore[no-untyped-def]
    """The int64 table at a raw address: how an entry point gets its context."""

    def codegen(target, builder, sig, args):  # type: ignore[no-untyped-def]
        return builder.inttoptr(args[0], target.get_value_type(sig.return_type))

    return _I64(types.int64), codegen


@intrinsic
def at_i32(typingctx, address):  # type: ignore[no-untyped-def]
    """The int32 table at a raw address: a row of a bitmask."""

    def codegen(target, builder, sig, args):  # type: ignore[no-untyped-def]
        return builder.inttoptr(args[0], target.get_value_type(sig.return_type))

    return _I32(types.int64), codegen


@intrinsic
def at_u8(typingctx, address):  # type: ignore[no-untyped-def]
    """The uint8 table at a raw address."""

    def codegen(target, builder, sig, args):  # type: ignore[no-untyped-def]
        return builder.inttoptr(args[0], target.get_value_type(sig.return_type))

    return _U8(types.int64), codegen


@intrinsic
def view_i32(typingctx, array):  # type: ignore[no-untyped-def]
    """The int32 table over a C-contiguous int32 array."""
    return _over(_I32, array)


@intrinsic
def view_u8(typingctx, array):  # type: ignore[no-untyped-def]
    """The uint8 table over a C-contiguous uint8 array."""
    return _over(_U8, array)


def _over(table: Table, array: types.Array) -> Any:
    def codegen(target, builder, sig, args):  # type: ignore[no-untyped-def]
        data = target.make_array(sig.args[0])(target, builder, args[0]).data
        return builder.bitcast(data, target.get_value_type(sig.return_type))

    return table(array), codegen


def address_of(array: np.ndarray) -> int:
    """The address of an array's first element; the caller keeps the array alive."""
    return int(array.__array_interface__["data"][0])


@functools.cache
def _sources_stamp() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class _InnerCompiler(Compiler):  # type: ignore[misc]
    """Pipeline for functions that only kernels call: no wrappers, no machine code, and no optimisation of their own.

    numba would optimise and assemble every function with all its callees; here that happens once, in the entry points (measured: the
    first run takes a third of the time).
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)  # type: ignore[no-untyped-call]
        flags = self.state.flags
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        library = self.state.targetctx.codegen().create_library("structgen kernel")
        library._optimize_final_module = lambda: None
        self.state.library = library

    def compile_extra(self, func: Any) -> Any:
        key = object()  # stands for the entry point that is not made
        compiled = super().compile_extra(func)._replace(entry_point=key)  # type: ignore[no-untyped-call]
        self.state.targetctx.insert_user_function(key, compiled.fndesc, [compiled.library])
        return compiled


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that other kernels call, for one signature: literal and boolean arguments become int64.

    numba would compile it again for every combination of literal arguments (measured: 151 instances instead of 70, and twice the time
    of the first run).
    """
    dispatcher: Any = njit(pipeline_class=_InnerCompiler)(function)
    resolve = dispatcher.get_call_template

    def widened(args: Any, kws: Any) -> Any:
        return resolve(tuple(types.int64 if isinstance(a, (types.Integer, types.Boolean)) else a for a in args), kws)

    def add_overload(compiled: Any) -> None:  # there is no machine code to call from Python
        dispatcher.overloads[tuple(compiled.signature.args)] = compiled

    dispatcher.get_call_template = widened
    dispatcher.add_overload = add_overload
    return dispatcher


def entry(function: Callable[..., Any]) -> Any:
    """Compile an entry point with a disk cache that notices a change in any kernel file.

    numba stamps a cached function with its own file only; a changed callee in another file would leave stale machine code. The stamp
    is replaced by a digest of all kernel sources. Where no cache folder can be written, the function is compiled in each process.
    """
    try:
        dispatcher = njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba: "no locator available", a read-only installation without a home folder
        return njit(nogil=True)(function)
    cache_file: Any = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if hasattr(cache_file, "_source_stamp"):
        cache_file._source_stamp = _sources_stamp()
    return dispatcher


def is_cached(dispatcher: Any) -> bool:
    """Whether an entry point has machine code in memory or in an up-to-date cache file."""
    if dispatcher.signatures:
        return True
    cache_file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    try:
        return bool(cache_file is not None and cache_file._load_index())
    except OSError:
        return False  # no cache folder yet
