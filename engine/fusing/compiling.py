"""Compiling: the operations of a graph as one machine-code function over rows, in vectors. Loads LLVM.

The rows are those of nested loops, one for each axis; all operations stand in the innermost.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from llvmlite import binding, ir

from engine.fusing.graph import Branches, Graph, Known, Operation, Program, program
from engine.fusing.lanes import NUMBER, WHOLE, WIDTH, Lanes

# A side of a choice that costs as many additions is worth a jump.
_WORTH_A_JUMP = 40
_POINTER = ir.PointerType()
_WIDE = ir.VectorType(NUMBER, WIDTH)

binding.initialize_native_target()
binding.initialize_native_asmprinter()


class _Writer:
    """Writes the function of a graph, whose columns have these axes."""

    def __init__(self, graph: Graph, axes: Mapping[str, Sequence[int]], dimensions: int) -> None:
        self.graph, self.axes = graph, axes
        self.module = ir.Module("kernel")
        kernel = ir.Function(self.module, ir.FunctionType(ir.VoidType(), [_POINTER, _POINTER]), "kernel")
        self.builder = ir.IRBuilder(kernel.append_basic_block())
        lengths, arrays = kernel.args
        self.lengths = [self._item(lengths, WHOLE(axis), WHOLE) for axis in range(dimensions)]
        count = len(graph.columns) + len(graph.outputs)
        self.arrays = [self._item(arrays, WHOLE(number), _POINTER) for number in range(count)]
        self.places: list[Any] = []
        self.values: dict[int, Any] = {at: step.value for at, step in enumerate(graph.steps) if isinstance(step, Known)}
        self._rows(-1)
        self.builder.ret_void()

    def _item(self, array: Any, place: Any, kind: Any) -> Any:
        return self.builder.load(self.builder.gep(array, [place], source_etype=kind), typ=kind)

    def _rows(self, axis: int) -> None:
        """The body of an axis's loop: what is read there, and the loop of the next axis; in the innermost all else."""
        innermost = len(self.lengths) - 1
        for array, (name, at) in zip(self.arrays, self.graph.columns.items(), strict=False):
            if max(self.axes[name], default=-1) == axis:
                where = self._where(array, self.axes[name])
                value = self.builder.load(where, align=8, typ=_WIDE if axis == innermost else NUMBER)
                self.values[at] = Lanes(self.builder, value)
        if axis < innermost:
            with self._loop(axis + 1):
                self._rows(axis + 1)
            return
        self._steps(program(self.graph, _WORTH_A_JUMP))
        for array, at in zip(self.arrays[len(self.graph.columns) :], self.graph.outputs.values(), strict=True):
            self.builder.store(self.values[at].as_number(True), self._where(array, range(axis + 1)), align=8)

    def _where(self, array: Any, axes: Sequence[int]) -> Any:
        """Where in an array with these axes the row stands."""
        place = WHOLE(0)
        for axis in axes:
            place = self.builder.add(self.builder.mul(place, self.lengths[axis]), self.places[axis])
        return self.builder.gep(array, [place], source_etype=NUMBER)

    @contextmanager
    def _loop(self, axis: int) -> Iterator[None]:
        builder, before, length = self.builder, self.builder.block, self.lengths[axis]
        again, after = builder.append_basic_block(f"axis {axis}"), builder.append_basic_block(f"after {axis}")
        builder.branch(again)
        builder.position_at_end(again)
        place = builder.phi(WHOLE)
        place.add_incoming(WHOLE(0), before)
        width = WIDTH if axis == len(self.lengths) - 1 else 1
        # The last vector ends where the axis does, and so has some rows of the one before once more.
        last = builder.sub(length, WHOLE(width))
        self.places.append(builder.select(builder.icmp_signed("<", place, last), place, last))
        yield
        self.places.pop()
        following = builder.add(place, WHOLE(width))
        place.add_incoming(following, builder.block)
        builder.cbranch(builder.icmp_signed("<", following, length), again, after)
        builder.position_at_end(after)

    def _steps(self, steps: Program) -> None:
        for item in steps:
            at = item.at if isinstance(item, Branches) else item
            step = self.graph.steps[at]
            assert isinstance(step, Operation)
            if isinstance(item, Branches):
                condition, *sides = step.operands
                taken = self.values[condition]
                then = self._side(taken.anywhere(), item.then, sides[0])
                otherwise = self._side((1 - taken).anywhere(), item.otherwise, sides[1])
                self.values[at] = np.where(taken, then, otherwise)
            else:
                self.values[at] = step.function(*(self.values[operand] for operand in step.operands))

    def _side(self, taken: Any, steps: Program, wanted: int) -> Any:
        """One side of a choice, calculated only where some row takes it."""
        if not steps:
            return self.values[wanted]
        builder, before = self.builder, self.builder.block
        inside, after = builder.append_basic_block("side"), builder.append_basic_block("chosen")
        builder.cbranch(taken, inside, after)
        builder.position_at_end(inside)
        self._steps(steps)
        value = Lanes(builder, NUMBER(0.0)).taken(self.values[wanted])
        last = builder.block
        builder.branch(after)
        builder.position_at_end(after)
        found = builder.phi(value.value.type)
        found.add_incoming(value.value, last)
        found.add_incoming(ir.Constant(value.value.type, ir.Undefined), before)
        return Lanes(builder, found)


class _Compiled:
    """A function of arrays without gaps, whose innermost axis is at least as long as a vector."""

    def __init__(self, module: ir.Module, inner: Sequence[bool], answers: int) -> None:
        machine = binding.Target.from_default_triple().create_target_machine(
            cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten(), opt=3
        )
        parsed = binding.parse_assembly(str(module))
        tuned = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=2))
        tuned.getModulePassManager().run(parsed, tuned)
        # Held, because the code lives as long as the engine.
        self._engine = binding.create_mcjit_compiler(parsed, machine)
        self._engine.finalize_object()
        kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
        self._run: Callable[..., None] = kind(self._engine.get_function_address("kernel"))
        self._inner, self._answers = inner, answers

    def __call__(self, shape: tuple[int, ...], columns: Sequence[Any]) -> list[Any]:
        if shape[-1] < WIDTH:
            filled = np.minimum(np.arange(WIDTH), shape[-1] - 1)
            columns = [
                np.ascontiguousarray(column[..., filled]) if inner else column
                for column, inner in zip(columns, self._inner, strict=True)
            ]
        lengths = np.array((*shape[:-1], max(shape[-1], WIDTH)))
        answers = [np.empty(lengths) for _ in range(self._answers)]
        arrays = np.array([each.ctypes.data for each in (*columns, *answers)], dtype=np.uint64)
        self._run(lengths.ctypes.data, arrays.ctypes.data)
        return [np.ascontiguousarray(each[..., : shape[-1]]) for each in answers]


def compiled(
    graph: Graph, axes: Mapping[str, Sequence[int]], dimensions: int
) -> Callable[[tuple[int, ...], Sequence[Any]], list[Any]]:
    """A function of the shape of a grid and of the graph's columns, which gives its outputs in every row of the grid.

    `axes` says which axes each column has, those of which all rows of it are alike left out.
    """
    module = _Writer(graph, axes, dimensions).module
    inner = [dimensions - 1 in axes[name] for name in graph.columns]
    return _Compiled(module, inner, len(graph.outputs))
