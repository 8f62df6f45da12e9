"""The table of a benchmark's numbers."""

from collections.abc import Iterator
from typing import Any


def table(results: dict[str, Any]) -> str:
    """The lines that are printed; Markdown."""
    return "\n".join([*_head(results), *_rates(results), *_points(results), *_tail(results)])


def verdict(value: float, target: float) -> str:
    """Whether a target is met, in words."""
    return "met" if value >= target else "missed"


def machine_name(results: dict[str, Any]) -> str:
    """Processor or GPU, with the threads of the former."""
    machine, device = results["hardware"], results["options"]["device"]
    threads = f"{machine['threads']} thread{'s' if machine['threads'] > 1 else ''}"
    return machine["gpu"] if device == "cuda" else f"{machine['cpu']}, {threads}"


def _head(results: dict[str, Any]) -> Iterator[str]:
    network = results["machine"]["network"]
    options, load = results["options"], results["load_average_at_start"][0]
    yield f"{machine_name(results)}; network `{options['unet']}`, batch {options['batch_size']};"
    yield f"load average at start {load:.2f}; {network['forward'] / 1e9:.2f} GFLOP an image forward;"
    best = [
        f"{name} {found['flops'] / 1e12:.2f} TFLOP/s ({found['way']}, {found['size']})"
        for name, found in results["machine"]["matmul"].items()
    ]
    yield f"matrix products: {'; '.join(best)}"
    yield ""
    yield "| | reference | ours | ours / reference (rounds) | target |"
    yield "| --- | ---: | ---: | ---: | ---: |"


def _rates(results: dict[str, Any]) -> Iterator[str]:
    targets = results["targets"]
    for part in ("training", "sampling", "features"):
        if part not in results:
            continue
        found = results[part]
        steps = f" of {found['steps']} steps" if "steps" in found else ""
        yield (
            f"| {part}{steps}, images/s | {_rate(found['reference'])} | {_rate(found['ours'])} "
            f"| {_ratio(found['ratio'])} | {_target(found['ratio']['median'], targets.get(part))} |"
        )
        if "dtype" in found:
            yield from _shares(part, found, targets["fraction"] if part == "training" else None)
        peaks = (found["reference"]["peak_gb"], found["ours"]["peak_gb"])
        yield f"| peak memory, GB | {peaks[0]:.2f} | {peaks[1]:.2f} | {peaks[1] / peaks[0]:.2f} | |"


def _shares(part: str, found: dict[str, Any], target: float | None) -> Iterator[str]:
    texts = [
        f"{found[side]['fraction_of_matmul']:.1%} ({found['dtype'][side]})" for side in ("reference", "ours")
    ]
    reached = found["ours"]["fraction_of_matmul"]
    asked = "" if target is None else f">= {target:.0%}: {verdict(reached, target)}"
    yield f"| share of the matrix products' rate | {texts[0]} | {texts[1]} | | {asked} |"


def _points(results: dict[str, Any]) -> Iterator[str]:
    if "point" in results:
        found = results["point"]
        yield from _stages(found, f"point at {found['fraction']:.3g}", results["targets"]["point"])
        peaks = (found["reference"]["peak_gb"], found["ours"]["peak_gb"])
        yield f"| peak memory, GB | {peaks[0]:.2f} | {peaks[1]:.2f} | {peaks[1] / peaks[0]:.2f} | |"
    if "full_point" in results:
        yield from _stages(results["full_point"], "full point, extrapolated", None)


def _stages(found: dict[str, Any], title: str, target: float | None) -> Iterator[str]:
    counts = found["counts"]
    ours, theirs = found["ours"], found["reference"]
    images = f"{counts['images']} images trained, {counts['samples']} drawn, {counts['reals']} real"
    sums = f"{theirs['sum']:.1f} | {ours['sum']:.1f} | {found['ratio']:.2f}"
    yield f"| {title} ({images}), s | {sums} | {_target(found['ratio'], target)} |"
    for stage, seconds in theirs["seconds"].items():
        mine = ours["seconds"][stage]
        yield f"| of which {stage}, s | {seconds:.1f} | {mine:.1f} | {seconds / mine:.2f} | |"


def _rate(found: dict[str, Any]) -> str:
    return f"{found['median']:#.3g} ({found['least']:#.3g} to {found['most']:#.3g})"


def _ratio(found: dict[str, Any]) -> str:
    return f"{found['median']:.2f} ({found['least']:.2f} to {found['most']:.2f}; {len(found['rounds'])})"


def _target(value: float, target: float | None) -> str:
    return "" if target is None else f">= {target:g}: {verdict(value, target)}"


def _tail(results: dict[str, Any]) -> Iterator[str]:
    git = results["git"]
    edited = " (edited)" if git["edited"] else ""
    yield ""
    yield f"commit {git['commit']}{edited}; {results['seconds']:.0f} s in all"
    yield results["command"]
