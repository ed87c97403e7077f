"""Questions asked of the model: which rows to ask for, and what to conclude from the answers."""
