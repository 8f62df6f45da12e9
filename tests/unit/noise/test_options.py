"""Options of diffusers without a shaped counterpart: refused by name, accepted where they change nothing."""

import re

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler

from shapednoise import (
    ShapedDDIMScheduler,
    ShapedDDPMScheduler,
    ShapedDPMSolverScheduler,
    convert_scheduler,
)
from tests.unit.noise.shapes import SHAPES
from tests.unit.noise.test_schedulers import run

KINDS = (ShapedDDPMScheduler, ShapedDDIMScheduler, ShapedDPMSolverScheduler)
REFUSED = [
    ("thresholding", True, DDIMScheduler),
    ("rescale_betas_zero_snr", True, DDPMScheduler),
    ("set_alpha_to_one", False, DDIMScheduler),
    ("solver_order", 3, DPMSolverMultistepScheduler),
    ("algorithm_type", "sde-dpmsolver++", DPMSolverMultistepScheduler),
    ("solver_type", "heun", DPMSolverMultistepScheduler),
    ("use_karras_sigmas", True, DPMSolverMultistepScheduler),
    ("use_lu_lambdas", True, DPMSolverMultistepScheduler),
    ("final_sigmas_type", "sigma_min", DPMSolverMultistepScheduler),
    ("lambda_min_clipped", -5.1, DPMSolverMultistepScheduler),
    ("variance_type", "learned_range", DDPMScheduler),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "value", "plain"), REFUSED)
def test_it_is_refused_however_it_comes(tmp_path, kind, name, value, plain):
    scheduler = plain(**{name: value})
    scheduler.save_pretrained(tmp_path)
    message = f"{kind.__name__} cannot do {name} = {value!r}"
    makers = [
        lambda: kind.from_config(scheduler.config),
        lambda: kind.from_config(kind().config, **{name: value}),
        lambda: kind.from_pretrained(tmp_path),
        lambda: kind(**{name: value}),
    ]
    for make in makers[:3] if name == "variance_type" else makers:
        with pytest.raises(ValueError, match=re.escape(message)):
            make()


@pytest.mark.parametrize("kind", KINDS)
def test_neutral_values_are_accepted_and_change_nothing(kind):
    """Also those of options that do nothing here: the last step is of first order, nothing is thresholded."""
    neutral = {
        "solver_order": 2,
        "algorithm_type": "dpmsolver++",
        "solver_type": "midpoint",
        "lower_order_final": False,
        "euler_at_final": True,
        "thresholding": False,
        "sample_max_value": 2.0,
        "set_alpha_to_one": True,
        "final_sigmas_type": "zero",
    }
    white = kind()
    for spelt in (kind(**neutral), kind.from_config(white.config, **neutral)):
        assert {key: spelt.config[key] for key in neutral} == neutral
        assert torch.equal(run(spelt, 7), run(white, 7))
    taken_back = kind.from_config(DDIMScheduler(thresholding=True).config, thresholding=False)
    assert taken_back.config.thresholding is False


@pytest.mark.parametrize("lower_order_final", [True, False])
@pytest.mark.parametrize("steps", [7, 20])
def test_the_last_order_of_a_dpm_solver_does_not_depend_on_the_option(lower_order_final, steps):
    plain = DPMSolverMultistepScheduler(lower_order_final=lower_order_final)
    assert torch.allclose(run(convert_scheduler(plain, None), steps), run(plain, steps), rtol=1e-4, atol=2e-5)


def test_the_variance_of_ddpm_survives_a_detour():
    scheduler = ShapedDDPMScheduler(variance_type="fixed_large", shape=SHAPES["sdm"])
    for kind in (*KINDS, ShapedDDPMScheduler):
        scheduler = kind.from_config(scheduler.config)
    assert scheduler.config.variance_type == "fixed_large"


def test_an_unknown_option_is_a_type_error():
    with pytest.raises(TypeError, match="solver_ordre"):
        ShapedDPMSolverScheduler(solver_ordre=2)
