"""Real Snakemake runs on a copy of the project with a tiny, hermetic config.

The data sets are a zip of synthetic pictures, a file of grey ones and that one with noise in a band;
the Inception network is random, the UNet is tiny: every rule and every script is the real one and
nothing needs a network.
"""

import gzip
import hashlib
import os
import re
import shutil
import struct
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml
from filelock import FileLock
from PIL import Image

PARTS = ("Snakefile", "rules", "report", "scripts", "src", "config.yaml", "envs", "profiles")
IMAGES, SIZE = 60, 16


@dataclass
class Workspace:
    """A folder with a copy of the project, in which Snakemake is run."""

    path: Path
    overlay: dict = field(default_factory=dict)

    def snakemake(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        """Run Snakemake with the overlay; the output is text, standard error joined in."""
        return subprocess.run(
            self.command(*arguments), cwd=self.path, env=self.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options,
        )  # fmt: skip

    def command(self, *arguments: str) -> list[str]:
        (self.path / "overlay.yaml").write_text(yaml.safe_dump(self.overlay))
        once = [] if "--retries" in arguments else ["--retries", "0"]
        # a thread a job: tests run side by side, and threads that wait for each other would wait for theirs
        options = ["--cores", "2", "--max-threads", "1", *once, "--configfile", "overlay.yaml"]
        return [sys.executable, "-m", "snakemake", *arguments, *options]

    def environment(self) -> dict[str, str]:
        dropped = {"PYTHONPATH", "COV_CORE_SOURCE"}
        return {name: value for name, value in os.environ.items() if name not in dropped}

    def run(self, *arguments: str) -> str:
        """Run and expect success."""
        done = self.snakemake(*arguments)
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    def planned(self, *targets: str) -> Counter:
        """How many jobs of each rule a run would do now; targets and digests of code left out."""
        output = self.run(*targets, "--dry-run")
        jobs: Counter = Counter()
        if "Job stats:" not in output:
            assert "Nothing to be done" in output, output[-2000:]
            return jobs
        for line in output.split("Job stats:")[1].splitlines()[3:]:
            if not line.strip() or line.startswith("total"):
                break
            rule, count = line.split()
            jobs[rule] = int(count)
        targets_of_config = set(yaml.safe_load((self.path / "config.yaml").read_text())["figures"])
        return Counter(
            {rule: n for rule, n in jobs.items() if rule not in {"all", "code", *targets_of_config}}
        )

    def planned_figures(self) -> set[str]:
        """The figures that a run would draw now."""
        output = self.run("--dry-run")
        return set(
            re.findall(r"^rule figure:.*?^    wildcards: figure=(\w+)", output, re.MULTILINE | re.DOTALL)
        )

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace text in a file of the copy; it must be there."""
        path = self.path / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new))

    def set(self, key: str, value) -> None:
        """Change the overlay: a dotted key."""
        *parents, last = key.split(".")
        place = self.overlay
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value

    def copy(self, path: Path) -> "Workspace":
        """Another workspace with the same files, times and history."""
        shutil.copytree(self.path, path, symlinks=True)
        return Workspace(path, yaml.safe_load(yaml.safe_dump(self.overlay)))


def make_workspace(path: Path, repository: Path, weights: Path) -> Workspace:
    """A copy of the project with the synthetic data set and the random weights dropped in."""
    path.mkdir(parents=True)
    for part in PARTS:
        source = repository / part
        if source.is_dir():
            shutil.copytree(source, path / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, path / part)
    (path / "data").mkdir()
    write_pictures(path / "data" / "pictures.zip")
    write_grey(path / "data" / "grey.gz")
    shutil.copy(weights, path / "data" / "random.pth")
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    return Workspace(path, tiny_config(sha256))


def shared_run(path: Path, repository: Path, weights: Path) -> Workspace:
    """A workspace in which all was run, by the first process that asks; its error is that of all who ask."""
    outcome = path.with_suffix(".yaml")
    with FileLock(path.with_suffix(".lock")):
        if not outcome.exists():
            workspace = make_workspace(path, repository, weights)
            done = workspace.snakemake()
            error = done.stdout[-4000:] if done.returncode else ""
            outcome.write_text(yaml.safe_dump({"overlay": workspace.overlay, "error": error}))
    found = yaml.safe_load(outcome.read_text())
    assert not found["error"], found["error"]
    return Workspace(path, found["overlay"])


def write_pictures(path: Path) -> None:
    """Pictures with structure: a coloured disc before a gradient, in the order of their names."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIZE, :SIZE]
    with zipfile.ZipFile(path, "w") as pack:
        for index in range(IMAGES):
            centre, colour, slope = rng.uniform(3, SIZE - 3, 2), rng.uniform(0, 255, 3), rng.uniform(-6, 6)
            disc = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < 16
            picture = np.where(disc[..., None], colour, 128 + slope * (x - y)[..., None] / 2)
            with pack.open(f"{index:04d}.png", "w") as file:
                Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(file, "PNG")


def write_grey(path: Path) -> None:
    """Grey discs of 12 x 12 pixels in MNIST's format."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:12, :12]
    centres = rng.uniform(3, 9, (2, IMAGES, 1, 1))
    discs = np.where((x - centres[0]) ** 2 + (y - centres[1]) ** 2 < 9, 200, 20).astype(np.uint8)
    path.write_bytes(gzip.compress(struct.pack(">4I", 0x803, IMAGES, 12, 12) + discs.tobytes(), mtime=0))


def tiny_config(weights_sha256: str) -> dict:
    """An overlay that runs the papers' DAG on the synthetic pictures in seconds a job."""
    return {
        "name": "tiny",
        "results": "results/tiny",
        "targets": [
            *("fig1", "fig2a", "fig2c", "fig2f", "fig3", "figB2"),
            *("figT", "figR", "figS1", "figS2", "figS3", "figP", "figX5"),
        ],
        "recipe": "tiny",
        "extractor": "random",
        "strengths": {"grid": [-0.4, 0.0, 0.4]},
        "seeds": {"several": [42], "one": [42]},
        "datasets": {
            "pictures": {
                "title": "Pictures", "reader": "folder", "images": IMAGES, "size": SIZE,
                "sources": [{"file": "pictures.zip"}],
            },
            "grey": {
                "title": "Grey", "reader": "idx", "channels": 1, "images": IMAGES, "size": SIZE,
                "sources": [{"file": "grey.gz"}],
            },
            "grey_band": {"title": "Grey with noise", "corrupts": "grey", "band": [0.2, 0.3]},
        },
        "extractors": {
            "random": {  # 192 dimensions: the roots of larger covariances were half of a run
                "layer": "192", "batch_size": 16,
                "sources": [{"file": "random.pth", "sha256": weights_sha256}],
            }
        },
        "recipes": {
            "tiny": {
                "training": {
                    "unet": {"channels": [8, 8], "layers_per_block": 1, "norm_groups": 4},
                    "epochs": 3, "batch_size": 20, "warmup_steps": 2,
                },
                "sampling": {"images": 12, "steps": 5},
                "scoring": {"reference_images": 16, "kid_subsets": 5, "kid_subset_size": 8, "is_splits": 2},
            }
        },
        "experiments": {
            name: {"dataset": "pictures"} for name in ("cifar10_sdm", "cifar10_variants")
        },
        "figures": {
            "fig1": {"dataset": "pictures"},
            "figT": {
                "dataset": "pictures", "strengths": [-0.4, 0.0, 0.4], "experiment": "cifar10_sdm",
                "samplers": [{"steps": 5, "reading": reading} for reading in ("published", "exact")],
            },
            "figR": {"strengths": [-0.4], "steps": [50]},
            "figP": {
                "dataset": "pictures", "points": [{"noise": "ddpm"}, {"noise": "sdm", "strength": -0.4}],
                "samplers": [{"steps": steps, "reading": "published"} for steps in (5, 3)],
                "images": 10, "reference_images": 16,
            },
            "figP2": {"dataset": "pictures", "images": 10, "reference_images": 16},
            "figP3": {"dataset": "pictures", "images": 10, "reference_images": 16},
            "figX5": {"dataset": "pictures"},
            "figS1": {"dataset": "pictures", "images": 20},
            "figS2": {"dataset": "pictures"},
            "figS3": {"dataset": "pictures"},
        },
    }  # fmt: skip
