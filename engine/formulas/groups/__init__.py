"""Groups: which formulas belong together, and the operating points at which a group stands again."""
