"""The scales that claims are decided at: the papers', and that of the study (study.yaml, docs/study.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shapednoise.claims.published_hyperparameters import FULL_DATASETS, STUDY_DATASETS


@dataclass(frozen=True)
class Tier:
    """A scale, and where the evidence for claims about it comes from.

    Attributes:
        name: As tables have it.
        fid: What FID is called, by its number of images.
        grid: Whose grid of strengths its `step` is of.
        datasets: Images and size of its data sets.
        step: Of that grid; how near to a published optimum another one is (ours).
        mild: What mild antisqueezing is (ours).
        steps: Reverse steps, few and many.
        ranked: The experiment whose FIDs the theory is to rank, and the steps that it must have.
        experiments: The experiment that is its evidence, by the one that a claim names, or that and a noise.
    """

    name: str
    fid: str = "FID-10K"
    grid: str = "published"
    datasets: Mapping[str, tuple[int, int]] = field(default_factory=lambda: FULL_DATASETS)
    step: float = 0.1
    mild: tuple[float, ...] = (-0.4, -0.3, -0.2, -0.1)
    steps: tuple[int, int] = (50, 1000)
    ranked: tuple[str, set[int]] = ("cifar10_steps", {50, 1000})
    experiments: Mapping[str, str] = field(default_factory=dict)

    @property
    def mild_range(self) -> str:
        """`-0.4 to -0.1`."""
        return f"{self.mild[0]} to {self.mild[-1]}"

    def experiment(self, name: str, noise: str | None = None) -> str:
        """The experiment at this scale that a claim about a noise of an experiment rests on."""
        return self.experiments.get(f"{name} {noise}", self.experiments.get(name, name))


PAPER = Tier("paper")
STUDY = Tier(
    "study",
    fid="FID",
    grid="study's",
    datasets=STUDY_DATASETS,
    step=0.2,
    mild=(-0.4, -0.2),
    steps=(50, 250),
    ranked=("study_sdm", {50}),
    experiments={
        "cifar10_sdm": "study_sdm",
        "cifar10_variants sdm": "study_short",
        "cifar10_variants hdm": "study_hdm",
        "cifar10_steps": "study_steps",
        "cifar10_readings": "study_exact",
        "cifar10_samplers": "study_samplers",
    },
)
BOTH = (PAPER, STUDY)
