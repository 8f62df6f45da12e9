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
from shapednoise.noise.denoising_variance import DenoisingVariance
from shapednoise.noise.schedulers import (
    ShapedDDIMScheduler,
    ShapedDDPMScheduler,
    ShapedDPMSolverScheduler,
)
from shapednoise.noise.shape import radii

AXIS = [2 / 7, 3 / 7, 6 / 7]
SHAPE = {"operator": "sdm", "strength": -0.4, "axis": AXIS}
EXACT = 1e-4
AXES = np.linalg.qr(np.column_stack([AXIS, np.eye(3)[:, :2]]))[0].T
STEPS = (10, 20, 50, 100, 250, 500)
SAMPLERS = {
    "ancestral, small variance": (ShapedDDPMScheduler, {}),
    "ancestral, large variance": (ShapedDDPMScheduler, {"variance_type": "fixed_large"}),
    "DDIM, eta 0": (ShapedDDIMScheduler, {}),
    "DDIM, eta 0.5": (ShapedDDIMScheduler, {"eta": 0.5}),
    "DPM-Solver++": (ShapedDPMSolverScheduler, {}),
}
OPTIMAL = {"ancestral, one optimal number": "optimal_scalar", "ancestral, optimal variance": "optimal"}


def falling_spectrum(size: tuple[int, int]) -> np.ndarray:
    """L_m of each (principal axis, frequency): variances from 20 down to 0.002, (3, *size)."""
    values, index = radii(size)
    return np.stack([scale / (values[index].numpy() + 0.05) ** 2 for scale in (0.05, 0.004, 0.001)])


def error(sampler: str, shape: dict, reading: str, steps: int, spectrum: np.ndarray) -> float:
    """The square root of the Frechet distance between the data and what the sampler makes of them."""
    scheduler_class, options = SAMPLERS.get(sampler, (ShapedDDPMScheduler, {}))
    if sampler in OPTIMAL:
        options = {
            "variance_type": OPTIMAL[sampler],
            "denoising_variance": DenoisingVariance.of_data({"axes": AXES.tolist()}, spectrum).describe(),
            "clipped_steps": 0,
        }
    scheduler = scheduler_class(shape=shape, reading=reading, timestep_spacing="trailing", **options)
    scheduler.set_timesteps(steps)
    return math.sqrt(predict(scheduler, spectrum).distance)


def main() -> None:
    spectrum = falling_spectrum((8, 8))
    print("| sampler | reading |", " | ".join(f"{steps} steps" for steps in STEPS), "| last order |")
    print("| --- | --- |" + " ---: |" * (len(STEPS) + 1))
    for name in [*SAMPLERS, *OPTIMAL]:
        for reading in ("published", "equations", "exact"):
            errors = [error(name, SHAPE, reading, steps, spectrum) for steps in STEPS]
            order = math.log(errors[-2] / errors[-1]) / math.log(STEPS[-1] / STEPS[-2])
            cells = " | ".join(f"{value:.3f}" for value in errors)
            last = f"{order:.2f}" if errors[-1] > EXACT else "exact"
            print(f"| {name} | `{reading}` | {cells} | {last} |")


if __name__ == "__main__":
    main()
