"""Fusing: formulas over many rows at the machine's speed, as one list of operations. Knows no sheet and no quantity.

`graph` reads formulas as operations; `chunks` evaluates them with NumPy, `kernels` as one compiled function.
"""
