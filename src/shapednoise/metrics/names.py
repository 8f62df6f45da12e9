"""The scores of a sample set: their names, and which are to be small."""

METRICS = ("fid", "kid", "is", "precision", "recall", "f_score", "density", "coverage")
LOWER_IS_BETTER = frozenset({"fid", "kid"})
