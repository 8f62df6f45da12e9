"""The logger of the package, its progress bars on standard error, and what it passes on to a tracker.

The tracker belongs to the logger since it, too, shows a run and decides no result: statements that call `log`
are no part of the digests of code (workflow/code.py).
"""

import atexit
import logging
import math
import os
import re
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from shapednoise.errors import UserError

TRACKERS = {"tensorboard": "torch.utils.tensorboard", "trackio": "trackio", "wandb": "wandb"}
PLACE = re.compile(r"(.+)/(?:models|samples)/((?:[^/]+/){5}seed\d+.*)")  # as workflow/layout.py has them
MOST_IMAGES = 64


class Log(logging.LoggerAdapter):
    """The logger, which passes the rows of trainings and images on to a tracker where one is wanted."""

    _tracker: "Tracker | None" = None

    def track(self, name: str, output: Path) -> None:
        """Have a tracker from now on, or `none`. Raises UserError where it is not installed.

        output: RESULTS/models/PATH or RESULTS/samples/PATH, where a result goes. RESULTS is the name of the
        tracker's project and PATH that of its run; its files go below RESULTS/trackers.
        """
        require_tracker(name)
        place = PLACE.fullmatch(str(output.absolute()))
        results, run = place.groups() if place else (output.absolute().parent, output.name)
        self._tracker = Tracker(name, Path(results), run) if name in TRACKERS else None

    def row(self, row: Mapping[str, float]) -> None:
        """Pass on the numbers of a training's step; `step` is one of them."""
        self._pass_on({name: value for name, value in row.items() if name != "step"}, int(row["step"]))

    def images(self, images: np.ndarray) -> None:
        """Pass on the first images, uint8 (n, C, H, W), as one picture."""
        if self._tracker:
            self._pass_on({"samples": square_of(images)}, 0)

    def _pass_on(self, values: Mapping[str, Any], step: int) -> None:
        try:
            if self._tracker:
                self._tracker.add(values, step)
        except Exception as error:  # whatever a tracker raises, the work goes on
            self.warning("the tracker failed and gets no more (%s)", error)
            self._tracker = None


class Tracker:
    """A run of TensorBoard, Trackio or Weights & Biases, which begins with what it is given first."""

    def __init__(self, name: str, results: Path, run: str) -> None:
        self.project, self.run = results.name, run
        # one folder for all runs of Trackio, which compares those of one database
        self.folder = results / "trackers" / (name if name == "trackio" else run)
        os.environ.setdefault("TRACKIO_DIR", str(self.folder))  # read when it is imported
        os.environ.setdefault("WANDB_DIR", str(self.folder))
        os.environ.setdefault("WANDB_MODE", "offline")
        self.module = import_module(TRACKERS[name])
        self.is_tensorboard = name == "tensorboard"
        self.writer: Any = None

    def add(self, values: Mapping[str, Any], step: int) -> None:
        """Log numbers by their names, and pictures, uint8 (H, W, 3)."""
        self.writer = self.writer or self._begin(step)
        for name, value in values.items():
            is_picture = isinstance(value, np.ndarray)
            if not self.is_tensorboard:
                self.writer.log({name: self.module.Image(value) if is_picture else value}, step=step)
            elif is_picture:
                self.writer.add_image(name, value, step, dataformats="HWC")
            else:
                self.writer.add_scalar(name, value, step)

    def _begin(self, step: int) -> Any:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.is_tensorboard:  # in which a training that is resumed replaces the steps that it repeats
            writer = self.module.SummaryWriter(str(self.folder), purge_step=step, flush_secs=10)
            atexit.register(writer.close)
        else:
            writer = self.module.init(project=self.project, name=self.run)
            atexit.register(writer.finish)
        return writer


def require_tracker(name: str) -> None:
    """Raise UserError where the package of a tracker is not installed."""
    if name in TRACKERS and not find_spec(name):
        raise UserError(
            f"config: engine.tracker: {name} is not installed; `pip install {name}` or write none"
        )


def keep_trackers_offline() -> None:
    """Keep here what trackers of this process and of its jobs may send elsewhere."""
    os.environ["WANDB_MODE"] = "offline"
    for address in ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL"):
        os.environ.pop(address, None)


def square_of(images: np.ndarray) -> np.ndarray:
    """The first images (n, C, H, W) as one picture (side H, side W, 3), at most MOST_IMAGES of them."""
    import torch  # noqa: PLC0415  waits until it is used, as torchvision
    from torchvision.utils import make_grid  # noqa: PLC0415

    side = math.isqrt(min(len(images), MOST_IMAGES))
    return make_grid(torch.tensor(images[: side**2]), nrow=side, padding=0).permute(1, 2, 0).numpy()


def progress(iterable: Iterable[Any] | None = None, **options: Any) -> tqdm:
    """A tqdm bar: live on a terminal, renewed every ten seconds elsewhere. Options are tqdm's."""
    terminal = sys.stderr.isatty()
    quiet = {} if terminal else {"mininterval": 10, "maxinterval": 10, "ascii": True, "ncols": 80}
    return tqdm(iterable, dynamic_ncols=terminal, **quiet, **options)


log = Log(logging.getLogger("shapednoise"))
