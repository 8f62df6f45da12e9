"""Shaped noise for diffusion models: tensors and equations, and diffusers schedulers made of them.

The words that configs, saved schedulers and this package share stand here, without torch.

A `Reading` is a formulation of the reverse process. Where a shape changes with time there are three:
`published` (the SDM paper's code: whiten by the S_t of the timestep that is left, step, shape by it
again), `equations` (its Eq. 5-7: shape by the S_u of the timestep arrived at) and `exact` (the process
of its Eq. 2-3, mode by mode). The first two share their training; docs/noise.md derives all of them.
"""

from typing import Literal

Reading = Literal["published", "equations", "exact"]
Schedule = Literal["beta", "falling", "constant"]  # s(t) = s0 beta_t / beta_max; s0 less that; s0
Normalize = Literal["off", "energy"]  # energy: gains with a mean square of 1
# of a step's noise: as diffusers names it, or what is optimal (noise/denoising_variance.py)
Variance = Literal["fixed_small", "fixed_large", "optimal", "optimal_scalar"]
Prediction = Literal["epsilon", "sample", "v_prediction"]  # what the network outputs
