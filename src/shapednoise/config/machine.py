"""Settings of the machine: how to compute, what to keep, what to ask of a cluster. None changes a result."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from shapednoise.config.base import NAME, Settings

Compilation = Literal["auto", "on", "off"]


class EngineSettings(Settings):
    """What a machine wants. A change reruns nothing."""

    compile: Compilation = Field(
        "auto",
        description="torch.compile of the network; auto: on a GPU, where what is left of the work repays it.",
    )
    checkpoint_minutes: float = Field(10.0, gt=0, description="Minutes between a training's checkpoints.")
    checkpoint_steps: int = Field(0, ge=0, description="Steps between them; 0: the minutes alone decide.")
    points_per_gpu: int = Field(
        1, ge=1, description="Jobs that share one GPU; run as many with --resources gpu=N."
    )
    tracker: Literal["none", "tensorboard", "trackio", "wandb"] = Field(
        "none",
        description="Where trainings show their curves and samplings their images, besides the results; "
        "its package is yours to install.",
    )


class KeepSettings(Settings):
    """The large files of each point. A change reruns nothing."""

    models: bool = Field(True, description="The weights of each model.")
    samples: bool = Field(True, description="The images of each sample set, and the trajectory of the first.")
    features: bool = Field(
        True, description="The features of each sample set; those of data sets always stay."
    )


def _plain_values(resources: dict[str, int | str]) -> dict[str, int | str]:
    """They reach the command line that submits a job, not all of them in quotes. A constraint is quoted."""
    for name, value in resources.items():
        allowed = r"[\w .,:=@+/%\[\]-]*" if name != "constraint" else r"[\w .,:=@+/%\[\]|&*()-]*"
        if not re.fullmatch(NAME, name) or not re.fullmatch(allowed, str(value)):
            raise ValueError(
                f"{name} {value!r} could be a command of the shell; remove its special characters"
            )
    return resources


Resources = Annotated[dict[str, int | str], AfterValidator(_plain_values)]


class ClusterSettings(Settings):
    """A site's own values, in site.yaml; resources only there. A change reruns nothing."""

    every_job: Resources = Field(
        {},
        description="Resources of every job (in site.yaml), as Snakemake's executor names them: "
        "slurm_partition, slurm_account, qos, ...",
    )
    gpu_job: Resources = Field(
        {},
        description="Resources of jobs that want a GPU (in site.yaml), over those: gpu_model, or gres "
        "instead of gpu, ...",
    )
    longest_minutes: int | None = Field(
        None, ge=5, description="Longest run time of a job; a longer training goes on in the next try."
    )
    gpus: int = Field(
        1, ge=0, description="GPUs that `make plan` reckons with; 0: processors alone, no job asks for one."
    )
    gpu_tflops: float | None = Field(
        None,
        gt=0,
        description="TFLOP/s of one GPU in training; null: measured by `make bench`, or a guess.",
    )

    @model_validator(mode="after")
    def _one_way_to_ask(self) -> "ClusterSettings":
        if "gres" in self.gpu_job and self.gpu_job.keys() & {"gpu", "gpu_model"}:
            raise ValueError("gpu_job asks by gres and by gpu or gpu_model; keep one of the two ways")
        if self.every_job.keys() & {"gpu", "gres", "gpu_model"}:
            raise ValueError("every_job asks for a GPU; write that below gpu_job")
        return self

    def resources(self, gpu: bool) -> Resources:
        """What a job asks for; `gpu: 1` stands where a GPU is not asked for by gres, and there are GPUs."""
        if not (gpu and self.gpus):
            return self.every_job
        one = {} if "gres" in self.gpu_job else {"gpu": 1}
        return {**one, **self.every_job, **self.gpu_job}
