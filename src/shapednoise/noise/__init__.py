"""Shaped noise for diffusion models: tensors and equations, and diffusers schedulers made of them.

The words that configs, saved schedulers and this package share stand here, without torch.

A `Reading` is a formulation of the reverse process. Where a shape changes with time there are three:
`published` (the SDM paper's code: whiten by the S_t of the timestep that is left, step, shape by it
again), `equations` (its Eq. 5-7: shape by the S_u of the timestep arrived at) and `exact` (the process
of its Eq. 2-3, mode by mode). The first two share their training; docs/noise.md derives all of them.
"""

from typing import Literal

Reading = Literal["published", "equations", "exact"]
"""A formulation of the reverse process, see above."""
Schedule = Literal["beta", "falling", "constant"]
"""The strength at the timestep t: s0 beta_t / beta_max; s0 less that; s0."""
Normalize = Literal["off", "energy"]
"""`energy`: gains with a mean square of 1."""
Variance = Literal["fixed_small", "fixed_large", "optimal", "optimal_scalar"]
"""Of a step's noise: as diffusers names it, or what is optimal (noise/denoising_variance.py)."""
Prediction = Literal["epsilon", "sample", "v_prediction"]
"""What the network outputs."""

# The index of a saved pipeline names its class and, for diffusers' generic loading, a file of the folder
# with the class, which diffusers runs under trust_remote_code=True. Its error without that names the
# file, and so the import to add.
PIPELINE_CLASS = ("from_shapednoise_import_ShapedDDPMPipeline", "ShapedDDPMPipeline")
PIPELINE_CODE = {f"{PIPELINE_CLASS[0]}.py": "from shapednoise import ShapedDDPMPipeline\n"}
