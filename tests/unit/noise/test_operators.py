"""The registry: what a new operator needs, and that the config is made from it."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml
from pydantic import TypeAdapter

from shapednoise.config.noise import NoiseSettings
from shapednoise.noise.operators import BASELINE, OF_DATA, OPERATORS
from shapednoise.workflow.project import load_config
from tests.unit.noise.shapes import AXIS, BETAS

SIZE = (8, 8)
OWN = {"sagd_bandpass": {"low_band": [0, 0.1]}}  # parameters without which an operator is nothing


def test_operators_say_what_figures_and_rules_ask_of_them():
    assert OPERATORS[BASELINE].basis == "white"
    assert {name: kind.paper for name, kind in OPERATORS.items() if kind.paper} == {
        "sdm": "SDM", "hdm": "SDM", "sagd_powerlaw": "SAGD", "sagd_bandpass": "SAGD"
    }  # fmt: skip
    assert OPERATORS["hdm"].module == "noise.operators.squeezed"
    assert OPERATORS["sagd_powerlaw"].strength_symbol == "\\alpha"
    for name, kind in OPERATORS.items():
        assert kind.name == name and f"${kind.strength_symbol}" in kind.strength_label


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_is_white_at_strength_0_and_has_settings(name):
    own = OWN.get(name, {})
    of_data = {"axis": AXIS, "axes": np.eye(3), "spectrum": np.ones((3, 8, 5)), "width": 8}
    operator = OPERATORS[name](**own)
    needs = {key: of_data[key] for key in OF_DATA.get(operator.basis, ())}
    gains = operator.build(0.0, **needs).gains(BETAS, SIZE)
    assert torch.equal(gains, torch.ones_like(gains))
    settings = TypeAdapter(NoiseSettings).validate_python({"operator": name, **own})
    assert isinstance(settings, OPERATORS[name]) and settings.operator == name
    with pytest.raises(ValueError, match=r"finite|strength 0"):
        settings.check_strength(float("nan"))


def test_images_without_a_frequency_in_the_bands_are_told_beforehand():
    narrow = OPERATORS["sagd_bandpass"](high_band=(0.02, 0.03))
    narrow.check_size((50, 50))
    narrow.check_size((4, 50))
    with pytest.raises(ValueError, match="32 x 32 images have no frequency in its bands; widen them"):
        narrow.check_size((32, 32))


def test_shapes_of_the_config_keep_their_content_and_its_order(repository):
    """Parameters of rules and records hold them as text."""
    config = load_config(repository / "config.yaml")
    band = {"low_band": [0.0, 0.1], "high_band": [0.3, 0.75], "low_gain": 0.5, "high_gain": 0.5}
    power = {"schedule": "constant", "normalize": "off", "operator": "sagd_powerlaw", "eps": 0.01}
    expected = {
        ("ddpm", 0.0): {"operator": "ddpm"},
        ("sdm", 0.0): {"operator": "ddpm"},
        ("hdm", 0.3): {"schedule": "beta", "normalize": "off", "operator": "hdm", "strength": 0.3},
        ("powerlaw", -0.1): power | {"strength": -0.1},
        ("bandpass", 1.0): {
            "schedule": "constant", "normalize": "off", "operator": "sagd_bandpass", **band, "strength": 1.0
        },
        ("sdm_powerlaw", 0.0): {
            "schedule": "beta", "normalize": "off", "operator": "sdm", "strength": 0.0,
            "times": power | {"strength": -0.2},
        },
    }  # fmt: skip
    for point, shape in expected.items():
        assert str(config.shape(*point)) == str(shape)


NEW = '''
"""Blue noise."""

from pydantic import Field

from shapednoise.noise.operators import FrequencyOperator


class Blue(FrequencyOperator):
    """Noise whose amplitude grows with the frequency."""

    name = "blue"
    strength_symbol = "b"

    slope: float = Field(2.0, gt=0, description="How fast.")

    def gains(self, r, s):
        """(1 + slope r)^s."""
        return (1 + self.slope * r) ** s
'''
SESSION = """
import json, sys
from shapednoise.workflow.project import load_config
config = load_config(*sys.argv[1:])
assert not {"torch", "matplotlib", "seaborn", "scipy"} & set(sys.modules)
shape = config.shape("new", 0.5)
from shapednoise import ShapedDDPMScheduler
made = ShapedDDPMScheduler(shape=shape)
print(json.dumps([shape, made.process.noise_gains((2, 2)).values[-1].tolist(), made.config["shape"]]))
"""


def test_a_new_operator_is_one_file_and_parsing_the_config_loads_no_torch(tmp_path, repository):
    shutil.copytree(repository / "src" / "shapednoise", tmp_path / "shapednoise")
    (tmp_path / "shapednoise" / "noise" / "operators" / "blue.py").write_text(NEW)
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(yaml.safe_dump({"noises": {"new": {"operator": "blue", "slope": 1}}}))
    command = [sys.executable, "-c", SESSION, str(repository / "config.yaml"), str(overlay)]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    shape, gains, saved = yaml.safe_load(done.stdout)
    own = {"operator": "blue", "slope": 1.0, "strength": 0.5}
    assert shape == {"schedule": "beta", "normalize": "off", **own}
    assert gains == pytest.approx([1, 1.5**0.5, (1 + 0.5**0.5) ** 0.5])
    assert saved == shape | {"version": 1}
