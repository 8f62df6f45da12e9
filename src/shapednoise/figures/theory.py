"""The closed-form theory: distance against strength for several samplers, and variances by frequency."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from shapednoise.config.sampling import SamplerSettings
from shapednoise.figures.style import METHOD_NAMES, curve_colour, new_figure, noise_name, number
from shapednoise.noise.bands import LARGEST_RADIUS

STYLES = {"published": "-", "equations": "--", "exact": ":"}
SAMPLER = list(SamplerSettings().in_theory())


def theory_figure(
    distances: pd.DataFrame, variances: pd.DataFrame, title: str, measured: pd.DataFrame | None = None
) -> Figure:
    """Left: the distance of every sampler, minima as stars. Right: v_m / L_m of the first sampler.

    distances, variances: the tables of tables.theory. title: of the data set. measured: the scores of
    an experiment (columns `sampler.*`, noise, strength, fid); each curve scaled by one number, so that
    it agrees with the theory at s = 0.
    """
    figure, [[left, right]] = new_figure(11.5, 5.8, columns=2)
    noise = noise_name(distances.noise.iloc[0])
    looks = _looks(distances)
    handles = [_draw_distance(left, rows, *looks[key]) for key, rows in _samplers(distances)]
    if measured is not None:
        handles += _draw_measured(left, distances, measured, looks)
    left.axvline(0, color="0.8", lw=0.8, zorder=1)
    left.set_yscale("log")
    left.set_xlabel(f"strength $s$ of {noise}")
    left.set_ylabel("Gaussian Fréchet distance (lower is better)")
    left.set_title(f"{title}: theory, minima starred", fontsize="medium")
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize="small")
    _draw_variances(right, variances, noise)
    return figure


def _samplers(table: pd.DataFrame) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    """(settings, rows) of every sampler, in the order of the table."""
    return iter(table.groupby(SAMPLER, sort=False))


def _looks(distances: pd.DataFrame) -> dict[tuple[Any, ...], tuple[str, Any, str]]:
    """Name, colour and line style of each sampler: a colour a method and number of steps."""
    looks, colours = {}, {}
    eta_matters = (distances.method == "ddim").any()
    for key, _ in _samplers(distances):
        method, steps, spacing, variance, eta, reading = key
        detail = f", $\\eta$ = {eta:g}" if method == "ddim" and eta_matters else ""
        detail += f", {variance}" if method == "ancestral" and variance != "fixed_small" else ""
        detail += f", {spacing}" if distances.spacing.nunique() > 1 else ""
        colour = colours.setdefault((method, steps), curve_colour(len(colours)))
        name = f"{_prefix(method)}{steps} steps, {reading}{detail}"
        looks[key] = (name, colour, STYLES[reading])
    return looks


def _prefix(method: str) -> str:
    """The method's name before the number of steps; the papers' own sampler goes without saying."""
    return "" if method == "ancestral" else f"{METHOD_NAMES[method]}, "


def _draw_distance(axes: Axes, rows: pd.DataFrame, name: str, colour: Any, style: str) -> Line2D:
    """One sampler's curve, its minimum as a star; the label says where it is and what it gains."""
    rows = rows.sort_values("strength")
    [line] = axes.plot(rows.strength, rows.distance, style, color=colour, lw=1.6, zorder=3)
    line.set_label(f"{name}: {_minimum(axes, rows, 'distance', colour)}")
    return line


def _minimum(axes: Axes, rows: pd.DataFrame, column: str, colour: Any) -> str:
    """Draw the star at the smallest value and say where it is; at an end of the grid it is none."""
    values, best = rows[column], rows.loc[rows[column].idxmin()]
    if best.strength in (rows.strength.min(), rows.strength.max()):
        return f"{values.min():.3g} to {values.max():.3g}, no minimum inside"
    axes.plot(best.strength, best[column], "*", color=colour, ms=11, mec="black", mew=0.6, zorder=5)
    at_zero = values[rows.strength == 0]
    gain = f", {best[column] / at_zero.iloc[0]:.2f} of $s$ = 0" if len(at_zero) else ""
    return f"best $s$ = {number(best.strength)}{gain}"


def _draw_measured(
    axes: Axes, distances: pd.DataFrame, measured: pd.DataFrame, looks: dict
) -> Iterator[Line2D]:
    """The mean FID over seeds of each sampler that the theory has too, scaled to agree at s = 0."""
    chosen = measured[measured.noise.isin([distances.noise.iloc[0], "ddpm"])]
    for key, rows in _samplers(distances):
        name, colour, _ = looks[key]
        settings = dict(zip(SAMPLER, key, strict=True))
        known = {column: value for column, value in settings.items() if f"sampler.{column}" in chosen}
        same = np.logical_and.reduce(
            [chosen[f"sampler.{column}"] == value for column, value in known.items()]
        )
        fid = chosen[same].groupby("strength").fid.mean().sort_index()
        at_zero = rows.distance[rows.strength == 0]
        if fid.empty or 0 not in fid.index or at_zero.empty:
            continue
        factor = at_zero.iloc[0] / fid.loc[0]
        [line] = axes.plot(fid.index, factor * fid, "o-", color=colour, ms=5, lw=0.6, mec="white", zorder=4)
        scaled = pd.DataFrame({"strength": fid.index, "fid": factor * fid.to_numpy()})
        best = _minimum(axes, scaled, "fid", colour)
        line.set_label(f"{name}: measured FID \u00d7 {factor:.3g} (equal at $s$ = 0), {best}")
        yield line


def _draw_variances(axes: Axes, variances: pd.DataFrame, noise: str) -> None:
    """v_m / L_m against the frequency: a colour a strength, a line style a direction."""
    _, first = next(_samplers(variances))
    sampler = first.iloc[0]
    styles = {"all": "-", "along": "-", "across": "--"}
    words = {"all": "", "along": ", along $v$", "across": ", across $v$"}
    for position, (strength, rows) in enumerate(first.groupby("strength", sort=False)):
        colour = curve_colour(position + 4)
        width = 2.6 / (1 + position)  # a curve below another one stays to be seen
        for direction, part in rows.groupby("direction", sort=False):
            label = f"$s$ = {number(strength)}{words[direction]}"
            axes.plot(part.radius, part.ratio, styles[direction], color=colour, lw=width, label=label)
    axes.axhline(1, color="0.35", lw=0.8, ls=":", label="the data's own variance")
    axes.set_xlabel("radial frequency (cycles per pixel)")
    axes.set_ylabel("variance of samples over that of data,  $v_m / L_m$")
    axes.set_xlim(0, LARGEST_RADIUS)
    axes.set_title(
        f"{noise}: {_prefix(sampler.method)}{sampler.steps} steps, {sampler.reading}", fontsize="medium"
    )
    axes.legend(frameon=False, fontsize="small")
