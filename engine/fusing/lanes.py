"""Lanes: rows side by side in vectors, and the machine instructions that operations on them become.

A function that is called on lanes writes instructions (LLVM's) instead of calculating. What is the same in all rows is
a single number, not a vector. Knows no quantity and no graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from llvmlite import ir

from engine.fusing.functions import WRITTEN
from engine.tracing import StandIn

# Rows side by side: two vectors of most machines, so that one is calculated while the other waits.
WIDTH = 8
NUMBER, WHOLE, FLAG, INDEX = ir.DoubleType(), ir.IntType(64), ir.IntType(1), ir.IntType(32)

_NUMBERS: Mapping[Any, str] = {
    np.add: "fadd",
    np.subtract: "fsub",
    np.multiply: "fmul",
    np.divide: "fdiv",
    np.negative: "fneg",
}
# Of whole numbers, as which the bits of a number are read.
_WHOLES: Mapping[Any, str] = {
    np.add: "add",
    np.bitwise_and: "and_",
    np.bitwise_or: "or_",
    np.left_shift: "shl",
    np.right_shift: "lshr",
}
_FLAGS: Mapping[Any, str] = {np.logical_and: "and_", np.logical_or: "or_"}
_COMPARED: Mapping[Any, str] = {
    np.greater: ">",
    np.greater_equal: ">=",
    np.less: "<",
    np.less_equal: "<=",
    np.equal: "==",
}
_EXTREMES: Mapping[Any, str] = {np.maximum: ">=", np.minimum: "<="}
_INTRINSICS: Mapping[Any, str] = {
    np.floor: "llvm.floor",
    np.ceil: "llvm.ceil",
    np.sqrt: "llvm.sqrt",
    np.absolute: "llvm.fabs",
}


class Lanes(StandIn):
    """A number, whole number or flag of every row. `allowed` says how instructions may differ from those written."""

    def __init__(self, builder: Any, value: Any, allowed: tuple[str, ...] = ()) -> None:
        self.builder, self.value, self.allowed = builder, value, allowed

    @property
    def is_wide(self) -> bool:
        """Whether rows may differ."""
        return isinstance(self.value.type, ir.VectorType)

    @property
    def kind(self) -> Any:
        return self.value.type.element if self.is_wide else self.value.type

    def meet(self, operation: Any, operands: tuple[Any, ...]) -> Lanes:
        lanes = [self.taken(operand) for operand in operands]
        if operation in WRITTEN:
            return self._of(self._called(operation, lanes))
        builder, wide = self.builder, any(each.is_wide for each in lanes)
        if operation is np.where:
            condition, then, otherwise = lanes
            wide = wide or condition.is_wide
            return self._of(builder.select(condition.as_flag(wide), then.as_number(wide), otherwise.as_number(wide)))
        if operation in _FLAGS:
            return self._of(getattr(builder, _FLAGS[operation])(*(each.as_flag(wide) for each in lanes)))
        if self.kind == WHOLE:
            return self._of(getattr(builder, _WHOLES[operation])(*(each.spread(wide) for each in lanes)))
        values = [each.as_number(wide) for each in lanes]
        if operation in _NUMBERS:
            return self._of(getattr(builder, _NUMBERS[operation])(*values, flags=self.allowed))
        if operation in _COMPARED:
            return self._of(builder.fcmp_ordered(_COMPARED[operation], *values))
        if operation in _EXTREMES:
            # The larger or smaller; or the one that is no number, as NumPy has it.
            beyond = builder.fcmp_ordered(_EXTREMES[operation], *values)
            missing = builder.fcmp_unordered("uno", values[0], values[0])
            return self._of(builder.select(builder.or_(beyond, missing), *values))
        if operation in _INTRINSICS:
            name = _INTRINSICS[operation] + (f".v{WIDTH}f64" if wide else ".f64")
            kind = ir.FunctionType(values[0].type, [values[0].type])
            return self._of(builder.call(builder.module.declare_intrinsic(name, fnty=kind), values))
        raise TypeError(f"{operation.__name__} has no compiled form")

    def _of(self, value: Any) -> Lanes:
        return Lanes(self.builder, value, self.allowed)

    def taken(self, operand: Any) -> Lanes:
        """An operand as lanes; a plain number is the same in all of them."""
        if isinstance(operand, Lanes):
            return operand
        if isinstance(operand, str):
            raise TypeError(f"'{operand}' is text, which a kernel does not give")
        return self._of(WHOLE(operand) if self.kind == WHOLE else NUMBER(float(operand)))

    def spread(self, wide: bool) -> Any:
        """The value, as a vector where rows may differ."""
        if self.is_wide or not wide:
            return self.value
        if isinstance(self.value, ir.Constant):
            return ir.Constant(ir.VectorType(self.kind, WIDTH), [self.value] * WIDTH)
        none = ir.Constant(ir.VectorType(self.kind, WIDTH), ir.Undefined)
        first = self.builder.insert_element(none, self.value, INDEX(0))
        return self.builder.shuffle_vector(first, none, ir.Constant(ir.VectorType(INDEX, WIDTH), [INDEX(0)] * WIDTH))

    def as_number(self, wide: bool) -> Any:
        value = self.spread(wide)
        return value if self.kind != FLAG else self.builder.uitofp(value, _like(value, NUMBER))

    def as_flag(self, wide: bool) -> Any:
        value = self.spread(wide)
        if self.kind == FLAG:
            return value
        return self.builder.fcmp_unordered("!=", value, self.taken(0.0).spread(wide))

    def bits(self) -> Lanes:
        """The bits of a number, as a whole number."""
        return self._of(self.builder.bitcast(self.value, _like(self.value, WHOLE)))

    def number(self) -> Lanes:
        """The number that has these bits."""
        return self._of(self.builder.bitcast(self.value, _like(self.value, NUMBER)))

    def looked_up(self, table: Any) -> Lanes:
        """What stands in a table at this whole number, row by row."""
        builder, module, name = self.builder, self.builder.module, f"table of {len(table)}"
        if name not in module.globals:
            held = ir.GlobalVariable(module, ir.ArrayType(NUMBER, len(table)), name)
            held.initializer = ir.Constant(held.value_type, [NUMBER(float(each)) for each in table])
            held.global_constant = True
        found = ir.Constant(_like(self.value, NUMBER), ir.Undefined)
        for lane in range(WIDTH):
            place = builder.gep(module.globals[name], [WHOLE(0), builder.extract_element(self.value, INDEX(lane))])
            found = builder.insert_element(found, builder.load(place, typ=NUMBER), INDEX(lane))
        return self._of(found)

    def repeated(self, step: Callable[..., Any], goes_on: Callable[..., Lanes], *begun: Lanes) -> Lanes:
        """The last of several values after as many steps as some row needs."""
        builder = self.builder
        before, again, after = builder.block, builder.append_basic_block("again"), builder.append_basic_block("after")
        builder.cbranch(goes_on(*begun).anywhere(), again, after)
        builder.position_at_end(again)
        held = [self._of(builder.phi(each.value.type)) for each in begun]
        stepped = step(*held)
        for each, first, next_ in zip(held, begun, stepped, strict=True):
            each.value.add_incoming(first.value, before)
            each.value.add_incoming(next_.value, builder.block)
        builder.cbranch(goes_on(*stepped).anywhere(), again, after)
        last = builder.block
        builder.position_at_end(after)
        found = builder.phi(begun[-1].value.type)
        found.add_incoming(begun[-1].value, before)
        found.add_incoming(stepped[-1].value, last)
        return self._of(found)

    def anywhere(self) -> Any:
        """Whether a flag is set in some row."""
        flags = self.as_flag(self.is_wide)
        if not self.is_wide:
            return flags
        together = self.builder.bitcast(flags, ir.IntType(WIDTH))
        return self.builder.icmp_unsigned("!=", together, together.type(0))

    def _called(self, operation: Any, lanes: list[Lanes]) -> Any:
        """The outcome of a written function, which stands in the module once for vectors and once for numbers."""
        wide, module = any(each.is_wide for each in lanes), self.builder.module
        values = [each.as_number(wide) for each in lanes]
        name = f"{operation.__name__} {values[0].type}"
        if name not in module.globals:
            own = ir.Function(module, ir.FunctionType(values[0].type, [each.type for each in values]), name)
            own.linkage = "internal"
            builder = ir.IRBuilder(own.append_basic_block())
            # A product and a sum in one instruction, rounded once.
            answer = WRITTEN[operation](*(Lanes(builder, each, ("contract",)) for each in own.args))
            builder.ret(answer.as_number(wide))
        return self.builder.call(module.globals[name], values)


def _like(value: Any, kind: Any) -> Any:
    """The type of this kind, as wide as the value."""
    return ir.VectorType(kind, WIDTH) if isinstance(value.type, ir.VectorType) else kind
