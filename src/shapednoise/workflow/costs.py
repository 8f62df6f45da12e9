"""Estimated time, memory and files of each job. The plan prints them, and clusters are asked for them.

Times come from the operations of the network (network_cost.py) and from rates that `make bench` has
measured; where there is no measurement on a GPU, from a guess that says so. Nothing here imports torch.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from shapednoise.config.machine import ClusterSettings
from shapednoise.config.schema import Config
from shapednoise.files import read_json
from shapednoise.workflow.layout import DistortedSet, Layout
from shapednoise.workflow.network_cost import NetworkCost, network_cost

TRAIN_TO_FORWARD_FLOPS = 3  # a training step costs three forward passes
TRAIN_BYTES_PER_ACTIVATION = (
    4.7  # bytes of memory in training a number that a layer puts out, bf16 and what goes with it
)
FORWARD_MEMORY_FRACTION = 0.2  # of that without gradients
STATE_BYTES = 16  # a parameter: weights, their average, two moments
PROCESS_MB = 4000  # PyTorch and its libraries
START_SECONDS = 10.0  # of a job before it computes
NEIGHBOUR_SECONDS = 4e-8  # of a pair of images, on two cores
PAIR_SECONDS = 1e-7  # of a pair in all scores, with their intervals
FEATURE_BYTES = 4 * (2048 + 1008)  # an image: pooled features and logits
RUNTIME_SAFETY_FACTOR, LEAST_MINUTES = (
    2.0,
    10,
)  # a cluster is asked for this many times the estimate, and some minutes
UNKNOWN_COUNT = 50_000  # images of a data set that is not there yet
SMALL_MB = {"train": 0.1, "sample": 1.0, "pictures": 3.0}  # curves, trajectories, PNG and GIF files
CALL_SECONDS = {"cuda": 0.01, "cpu": 0.005}
SAMPLING_BATCH = {"cuda": 512, "cpu": 128}  # on a CPU of 32 x 32 pixels
DENOISING_BATCH, FLOAT32_COST = 250, 2.0  # in float32, of what low precision takes


@dataclass(frozen=True)
class Rates:
    """What a machine does in a second."""

    training: float  # FLOP/s, forward and backward
    sampling: float  # FLOP/s
    features: float  # images/s
    source: str  # where the numbers come from
    gpu: bool

    @property
    def call(self) -> float:
        """Least seconds of one pass through the network, however small it is."""
        return CALL_SECONDS["cuda" if self.gpu else "cpu"]

    def batch(self, size: int) -> int:
        """Images of size x size pixels that a sampler draws at once."""
        return SAMPLING_BATCH["cuda"] if self.gpu else max(1, SAMPLING_BATCH["cpu"] * 32**2 // size**2)


GPU_RULES = (
    "train", "sample", "denoising_variance", "features_data", "features_samples", "features_predicted",
)  # fmt: skip
# Guesses where nothing was measured: a data centre's GPU at a fraction of what it can; a few processor cores
GPU_GUESS = Rates(20e12, 20e12, 400.0, "a guess: 20 TFLOP/s", True)
CPU_GUESS = Rates(0.5e12, 0.5e12, 25.0, "a guess: 0.5 TFLOP/s", False)


@dataclass(frozen=True)
class Cost:
    """Estimated resources of one job."""

    seconds: float = 15.0
    memory_mb: int = 2000
    gpu: bool = False
    kept_mb: float = 0.05  # of its outputs
    scratch_mb: float = 0.0  # at most, of files that are removed when it is done


FIXED = {  # of rules whose jobs cost the same; those of all others are small
    "pictures": Cost(15.0, 1000, kept_mb=SMALL_MB["pictures"]),
    **dict.fromkeys(("theory", "closed_form"), Cost(30.0, 4000)),
}


def rates(folder: Path, cluster: ClusterSettings) -> Rates:
    """The rates measured by `make bench` below the folder, or a guess; of processors if there is no GPU.

    Where the user knows better what a GPU does in training, the other rates are scaled with it.
    """
    gpu, tflops = cluster.gpus > 0, cluster.gpu_tflops
    if gpu and tflops:
        return _scaled(GPU_GUESS, 1e12 * tflops / GPU_GUESS.training, f"cluster.gpu_tflops: {tflops:g}")
    for file in sorted(folder.glob("bench*.json")):
        measured = read_json(file)
        if (measured["options"]["device"] == "cuda") == gpu:
            return _measured(measured, file.name, gpu)
    return GPU_GUESS if gpu else CPU_GUESS


def _scaled(one: Rates, factor: float, source: str) -> Rates:
    return Rates(factor * one.training, factor * one.sampling, factor * one.features, source, one.gpu)


def _measured(content: Mapping, file: str, gpu: bool) -> Rates:
    machine = content["hardware"]
    where = machine["gpu"] if gpu else f"{machine['threads']} threads of {machine['cpu']}"
    training, sampling = (content[part]["ours"]["flops"] for part in ("training", "sampling"))
    return Rates(training, sampling, content["features"]["ours"]["median"], f"{file}, on {where}", gpu)


class Costs:
    """The costs of the jobs of a config. Wildcards are those of the rules."""

    def __init__(self, config: Config, rates: Rates, counts: Mapping[str, int | None] | None = None) -> None:
        """counts: images of clean data sets, where config and manifest leave them open."""
        self.config, self.rates, self._layout, self._counts = config, rates, Layout(config), counts or {}
        self._samplers, self.count = self._layout.samplers, lru_cache(self.count)
        self.longest = config.cluster.longest_minutes or math.inf
        self._training, self._sampling = lru_cache(self._training), lru_cache(self._sampling)
        self._estimates: dict[str, Callable[[Mapping[str, str]], Cost]] = {
            "train": lambda w: self._training(w["dataset"], w["recipe"]),
            "sample": lambda w: self._sampling(w["dataset"], w["recipe"], w["sampler"]),
            "denoising_variance": lambda w: self._denoising(w["dataset"], w["recipe"]),
            "features_samples": lambda w: self._features(
                self._samplers[w["recipe"], w["sampler"]].images, config.keep.features
            ),
            "features_data": lambda w: self._features(self._reference(w["dataset"], w["reference"])),
            "features_predicted": lambda w: self._features(self._distorted(w).images, config.keep.features),
            "preprocess": lambda w: self._array(w["prepared"], numbers=1),
            "corrupt": lambda w: self._array(w["prepared"], numbers=2),
            "neighbours": lambda w: self._neighbours(self._reference(w["dataset"], w["reference"])),
            "scores": lambda w: self._scores(
                w["dataset"], w["reference"], self._samplers[w["recipe"], w["sampler"]].images
            ),
            "scores_predicted": lambda w: self._scores(
                w["dataset"], w["reference"], self._distorted(w).images
            ),
            "distort": lambda w: Cost(
                15 + self._array_mb(w["dataset"]) / 50,
                2000,
                kept_mb=self._distorted(w).images * self._pixels(w["dataset"]) / 1e6,
            ),
            **dict.fromkeys(("pca", "spectrum"), lambda w: Cost(10 + self._array_mb(w["dataset"]) / 5, 4000)),
        }

    def of(self, rule: str, wildcards: Mapping[str, str]) -> Cost:
        """The cost of a rule's job."""
        return self._estimates[rule](wildcards) if self.varies(rule) else FIXED.get(rule, Cost())

    def varies(self, rule: str) -> bool:
        """Whether the jobs of a rule differ in their cost."""
        return rule in self._estimates

    def minutes(self, rule: str, wildcards: Mapping[str, str]) -> int:
        """The run time that a cluster is asked for; at most the longest that the site allows."""
        wanted = LEAST_MINUTES + math.ceil(RUNTIME_SAFETY_FACTOR * self.of(rule, wildcards).seconds / 60)
        return int(min(wanted, self.longest))

    def _training(self, dataset: str, recipe: str) -> Cost:
        settings, network = self.config.recipes[recipe].training, self._network(dataset, recipe)
        steps = self._steps(dataset, recipe)
        step = TRAIN_TO_FORWARD_FLOPS * network.flops * settings.batch_size / self.rates.training
        state_mb = STATE_BYTES * network.parameters / 1e6
        activations_mb = TRAIN_BYTES_PER_ACTIVATION * network.activations * settings.batch_size / 1e6
        return Cost(
            START_SECONDS + steps * max(step, TRAIN_TO_FORWARD_FLOPS * self.rates.call),
            round(PROCESS_MB + 3 * self._array_mb(dataset) + 1.5 * state_mb + activations_mb),
            gpu=True,
            kept_mb=SMALL_MB["train"] + (4 * network.parameters / 1e6 if self.config.keep.models else 0),
            scratch_mb=3 * state_mb,  # the last two checkpoints, and the one that is written
        )

    def _sampling(self, dataset: str, recipe: str, slug: str) -> Cost:
        sampler, network = self._samplers[recipe, slug], self._network(dataset, recipe)
        batch = min(self.rates.batch(self.config.images_of(dataset).size), sampler.images)
        evaluations = sampler.steps * math.ceil(sampler.images / batch)
        call = network.flops * batch / self.rates.sampling
        samples_mb = sampler.images * self._pixels(dataset) / 1e6
        return Cost(
            START_SECONDS + evaluations * max(call, self.rates.call),
            round(PROCESS_MB + _forward_mb(network, batch) + 3 * samples_mb),
            gpu=True,
            kept_mb=SMALL_MB["sample"] + samples_mb if self.config.keep.samples else 0.05,
            scratch_mb=samples_mb,
        )

    def _denoising(self, dataset: str, recipe: str) -> Cost:
        settings, network = self.config.recipes[recipe].denoising, self._network(dataset, recipe)
        passes = settings.timesteps * min(settings.images, self._count(dataset))
        return Cost(
            START_SECONDS + FLOAT32_COST * passes * network.flops / self.rates.sampling,
            round(
                PROCESS_MB + self._array_mb(dataset) + FLOAT32_COST * _forward_mb(network, DENOISING_BATCH)
            ),
            gpu=True,
        )

    def _features(self, images: int, kept: bool = True) -> Cost:
        size_mb = FEATURE_BYTES * images / 1e6
        seconds, memory_mb = START_SECONDS + images / self.rates.features, round(PROCESS_MB + 3 * size_mb)
        return Cost(seconds, memory_mb, gpu=True, kept_mb=size_mb if kept else 0.0, scratch_mb=size_mb)

    def _neighbours(self, images: int) -> Cost:
        """Of all pairs of the reference's images."""
        return Cost(
            START_SECONDS + NEIGHBOUR_SECONDS * images**2, round(2000 + 0.12 * images), kept_mb=8e-6 * images
        )

    def _distorted(self, wildcards: Mapping[str, str]) -> DistortedSet:
        return self._layout.distorted[wildcards["dataset"], wildcards["point"]]

    def _scores(self, dataset: str, reference: str, samples: int) -> Cost:
        """Of all pairs of the samples, and of them with the reference."""
        images = self._reference(self.config.clean_of(dataset), reference)
        seconds = START_SECONDS + PAIR_SECONDS * samples * (samples + images)
        return Cost(seconds, round(4000 + 0.13 * (samples + images)))

    def _array(self, prepared: str, numbers: int) -> Cost:
        """A data set's array of so many bytes a number."""
        size_mb = numbers * self._array_mb(prepared.partition("/")[0])
        return Cost(60 + size_mb / 10, round(2000 + 4 * size_mb), kept_mb=size_mb)

    def _steps(self, dataset: str, recipe: str) -> int:
        return self.config.recipes[recipe].training.steps(self._count(dataset))

    def _network(self, dataset: str, recipe: str) -> NetworkCost:
        images = self.config.images_of(dataset)
        return network_cost(self.config.recipes[recipe].training.unet, images.size, images.channels)

    def _reference(self, dataset: str, reference: str) -> int:
        """Images that a reference has: all of them, or so many."""
        count = self._count(dataset)
        return count if reference == "all" else min(count, int(reference))

    def count(self, dataset: str) -> int | None:
        """Images of a data set, as the config or the manifest of its array says; None: not known yet."""
        clean = self.config.clean_of(dataset)
        if declared := self.config.images_of(dataset).images:
            return declared
        manifest = Path(self._layout.manifest(clean))
        return read_json(manifest)["images"] if manifest.is_file() else self._counts.get(clean)

    def _count(self, dataset: str) -> int:
        """The same; where it is not known, a large one's."""
        return self.count(dataset) or UNKNOWN_COUNT

    def _pixels(self, dataset: str) -> int:
        images = self.config.images_of(dataset)
        return images.channels * images.size**2

    def _array_mb(self, dataset: str) -> float:
        return self._count(dataset) * self._pixels(dataset) / 1e6


def _forward_mb(network: NetworkCost, batch: int) -> float:
    """Memory of the weights, twice, and of a pass of so many images without gradients."""
    activations = FORWARD_MEMORY_FRACTION * TRAIN_BYTES_PER_ACTIVATION * network.activations * batch
    return (8 * network.parameters + activations) / 1e6
