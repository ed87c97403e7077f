"""Fusing: formulas over many rows at the machine's speed, as one list of operations. Knows no sheet and no quantity.

`graph` reads formulas as operations, in stages; `chunks` evaluates them with NumPy, `kernels` compiled: `compiling` has
the loops, `lanes` the instructions, `functions` what is more than one.
"""
