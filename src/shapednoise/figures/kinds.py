"""The kinds of figures: importing this module registers all of them in config.figures.FIGURE_KINDS."""

import pkgutil
from importlib import import_module

import shapednoise.figures
from shapednoise.config.figures import FIGURE_KINDS

for _, _name, _ in pkgutil.iter_modules(shapednoise.figures.__path__):
    if _name != "kinds":
        import_module(f"shapednoise.figures.{_name}")

__all__ = ["FIGURE_KINDS"]
