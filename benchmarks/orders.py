"""How the error of each sampler and reading falls with the number of steps, in closed form.

    python benchmarks/orders.py

Gaussian data on 8 x 8 pixels with a spectrum that falls as 1 / r^2, the analytic denoiser, SDM with
s0 = -0.4 and `trailing` timesteps of T = 1000. The error is the square root of the Gaussian Frechet
distance (analysis/theory.py); between two numbers of steps its order is log(error ratio) / log(steps ratio).
Printed as a table for docs/noise.md.
"""

import math

import numpy as np

from shapednoise.analysis.theory import predict
from shapednoise.noise.schedulers import (
    AnyShaped,
    ShapedDDIMScheduler,
    ShapedDDPMScheduler,
    ShapedDPMSolverScheduler,
)
from shapednoise.noise.shape import radii

AXIS = [2 / 7, 3 / 7, 6 / 7]
SHAPE = {"operator": "sdm", "strength": -0.4, "axis": AXIS}
STEPS = (10, 20, 50, 100, 250, 500)
SAMPLERS = {
    "ancestral, small variance": (ShapedDDPMScheduler, {}),
    "ancestral, large variance": (ShapedDDPMScheduler, {"variance_type": "fixed_large"}),
    "DDIM, eta 0": (ShapedDDIMScheduler, {}),
    "DDIM, eta 0.5": (ShapedDDIMScheduler, {"eta": 0.5}),
    "DPM-Solver++": (ShapedDPMSolverScheduler, {}),
}


def falling_spectrum(size: int = 8) -> np.ndarray:
    """L_m of each (principal axis, frequency): variances from 20 down to 0.002, (3, size, size)."""
    values, index = radii((size, size))
    return np.stack([scale / (values[index].numpy() + 0.05) ** 2 for scale in (0.05, 0.004, 0.001)])


def errors(make: type[AnyShaped], options: dict, reading: str, spectrum: np.ndarray) -> list[float]:
    """The error at each number of steps."""
    found = []
    for steps in STEPS:
        scheduler = make(shape=SHAPE, reading=reading, timestep_spacing="trailing", **options)
        scheduler.set_timesteps(steps)
        found.append(math.sqrt(predict(scheduler, spectrum).distance))
    return found


def main() -> None:
    spectrum = falling_spectrum()
    print("| sampler | reading |", " | ".join(f"{steps} steps" for steps in STEPS), "| last order |")
    print("| --- | --- |" + " ---: |" * (len(STEPS) + 1))
    for name, (make, options) in SAMPLERS.items():
        for reading in ("published", "equations", "exact"):
            found = errors(make, options, reading, spectrum)
            order = math.log(found[-2] / found[-1]) / math.log(STEPS[-1] / STEPS[-2])
            cells = " | ".join(f"{error:.3f}" for error in found)
            print(f"| {name} | `{reading}` | {cells} | {order:.2f} |")


if __name__ == "__main__":
    main()
