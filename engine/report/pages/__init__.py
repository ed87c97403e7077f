"""The pages behind the answer, one file each. They choose figures and words, and compute nothing."""
