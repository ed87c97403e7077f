"""Sweeping: every combination of a grid's values, each a configuration with something changed, reduced as it goes.

`grid` reads what is asked for, `rows` brings what the formulas read, `plans` calculates one piece of the grid,
`reductions` keeps what is wanted of it, `folder` what is finished, `running` goes through all pieces.
"""
