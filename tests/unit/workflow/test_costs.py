"""What jobs cost: the network's operations are diffusers' own, requests follow from them."""

import json
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch.utils.flop_counter import FlopCounterMode

from shapednoise.config.machine import ClusterSettings, KeepSettings
from shapednoise.config.training import UNetSettings
from shapednoise.diffusion.network import build_unet
from shapednoise.workflow.costs import CPU_GUESS, GPU_GUESS, Costs, rates
from shapednoise.workflow.network_cost import network_cost
from shapednoise.workflow.plan import Job, planned_jobs, scratch_mb, table, wall_seconds
from shapednoise.workflow.project import load_config

PAPER = {"channels": (128, 256, 512, 512), "attention_levels": (4,)}
UNETS = [
    (PAPER, 32, 3),
    (
        {"channels": (16, 32, 64, 64), "layers_per_block": 1, "attention_levels": (4,), "norm_groups": 8},
        32,
        3,
    ),
    ({"channels": (64, 128, 256), "attention_levels": (3,)}, 32, 1),
    ({"channels": (32, 64, 64), "layers_per_block": 3, "attention_levels": (1, 3)}, 64, 1),
    ({"channels": (8,), "layers_per_block": 1, "norm_groups": 4}, 16, 3),
]
MODEL = {"dataset": "cifar10", "noise": "sdm", "network": "s-0.40", "marginal": "published", "seed": "42"}


@pytest.fixture(scope="module")
def config(repository):
    return load_config(repository / "config.yaml")


def sampler(config, steps: int) -> str:
    samplers = config.samplers_of("cifar10_steps")
    return next(one.slug for one in samplers if one.steps == steps)


@pytest.mark.parametrize(("settings", "size", "channels"), UNETS)
def test_operations_and_parameters_are_those_that_pytorch_counts(settings, size, channels):
    unet = UNetSettings(**settings)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        network = build_unet(unet, size, channels)
        network(torch.zeros(1, channels, size, size), 0)
    cost = network_cost(unet, size, channels)
    assert cost.flops == counter.get_total_flops()
    assert cost.parameters == sum(parameter.numel() for parameter in network.parameters())


def test_a_training_costs_its_operations_over_the_rate(config):
    cost = Costs(config, GPU_GUESS).of("train", {**MODEL, "recipe": "paper"})
    flops = 3 * network_cost(UNetSettings(**PAPER), 32).flops * 128 * 3907  # steps of 10 epochs
    assert cost.seconds == pytest.approx(10 + flops / GPU_GUESS.training, rel=1e-6)
    assert cost.gpu
    assert cost.kept_mb == pytest.approx(4 * 101.12, rel=0.01)
    assert cost.scratch_mb == pytest.approx(3 * 16 * 101.12, rel=0.01)
    # make bench measured 7.06 GB at the peak of a batch of 128 on a CPU
    assert 7060 < cost.memory_mb < 2 * 7060


def test_what_is_not_kept_takes_no_room(config):
    wildcards = {**MODEL, "recipe": "paper", "sampler": sampler(config, 50)}
    rules = ("train", "sample", "features_samples")
    keep = KeepSettings(models=False, samples=False, features=False)
    kept, lean = Costs(config, GPU_GUESS), Costs(config.model_copy(update={"keep": keep}), GPU_GUESS)
    assert [kept.of(rule, wildcards).kept_mb for rule in rules] == pytest.approx([405, 32, 122], rel=0.01)
    assert all(lean.of(rule, wildcards).kept_mb < 0.2 for rule in rules)
    assert lean.of("features_data", {"dataset": "cifar10", "reference": "all"}).kept_mb > 100


def test_a_sampling_costs_its_steps(config):
    costs = Costs(config, GPU_GUESS)
    fifty, thousand = (
        costs.of("sample", {**MODEL, "recipe": "paper", "sampler": sampler(config, steps)}).seconds - 10
        for steps in (50, 1000)
    )
    assert thousand == pytest.approx(20 * fifty)


def test_measuring_the_denoising_variance_costs_its_passes_and_wants_a_gpu(config):
    """A thousand images at 50 timesteps, in float32."""
    cost = Costs(config, GPU_GUESS).of("denoising_variance", {**MODEL, "recipe": "paper"})
    flops = 50 * 1000 * network_cost(UNetSettings(**PAPER), 32).flops
    assert cost.seconds == pytest.approx(10 + 2 * flops / GPU_GUESS.sampling)
    assert cost.gpu and cost.memory_mb > 4000


def test_a_processor_draws_more_small_images_at_once():
    assert [CPU_GUESS.batch(size) for size in (16, 32, 64)] == [512, 128, 32]
    assert GPU_GUESS.batch(16) == GPU_GUESS.batch(64) == 512


def test_a_small_network_waits_for_the_machine(config):
    """Its operations are few: what counts is how often it is called."""
    one, half = Costs(config, GPU_GUESS), Costs(config, GPU_GUESS)
    half.rates = rates(Path("nowhere"), ClusterSettings(gpu_tflops=20e3))
    assert half.of("train", {**MODEL, "recipe": "paper"}).seconds == pytest.approx(10 + 3907 * 3 * 0.01)
    assert one.of("train", {**MODEL, "recipe": "paper"}).seconds > 1000


def test_minutes_have_slack_and_keep_to_the_sites_limit(repository, config):
    wildcards = {**MODEL, "recipe": "paper"}
    costs = Costs(config, GPU_GUESS)
    assert costs.minutes("train", wildcards) == 10 + -(-2 * costs.of("train", wildcards).seconds // 60)
    assert costs.minutes("figure", {}) == 11
    short = config.model_copy(update={"cluster": ClusterSettings(longest_minutes=30)})
    assert Costs(short, GPU_GUESS).minutes("train", wildcards) == 30


def bench(device: str, folder: Path) -> None:
    ours = {"ours": {"flops": 3e12, "median": 77.0}}
    content = {
        "options": {"device": device},
        "hardware": {"gpu": "A GPU", "threads": 2, "cpu": "A CPU"},
        **dict.fromkeys(("training", "sampling", "features"), ours),
    }
    (folder / f"bench-{device}.json").write_text(json.dumps(content))


def test_rates_are_measured_ones_or_said_to_be_guesses(tmp_path):
    assert rates(tmp_path, ClusterSettings()) is GPU_GUESS and "guess" in GPU_GUESS.source
    assert rates(tmp_path, ClusterSettings(gpus=0)) is CPU_GUESS
    bench("cpu", tmp_path)
    assert rates(tmp_path, ClusterSettings()) is GPU_GUESS
    assert rates(tmp_path, ClusterSettings(gpus=0)).source == "bench-cpu.json, on 2 threads of A CPU"
    bench("cuda", tmp_path)
    found = rates(tmp_path, ClusterSettings())
    assert (found.training, found.sampling, found.features) == (3e12, 3e12, 77.0)
    assert found.source == "bench-cuda.json, on A GPU"
    assert rates(tmp_path, ClusterSettings(gpu_tflops=40)).sampling == 2 * GPU_GUESS.sampling


def test_the_reference_of_the_processors_is_one_of_make_bench(repository):
    found = rates(repository / "results/reference/bench", ClusterSettings(gpus=0))
    assert "guess" not in found.source and 1e10 < found.training < 1e15


def test_a_cluster_is_asked_in_one_way():
    assert ClusterSettings().resources(gpu=True) == {"gpu": 1}
    assert ClusterSettings(gpus=0).resources(gpu=True) == {}
    site = ClusterSettings(
        every_job={"slurm_account": "us"}, gpu_job={"gres": "gpu:1", "slurm_partition": "g"}
    )
    assert site.resources(gpu=False) == {"slurm_account": "us"}
    assert site.resources(gpu=True) == {"slurm_account": "us", "gres": "gpu:1", "slurm_partition": "g"}
    with pytest.raises(ValidationError, match="keep one of the two ways"):
        ClusterSettings(gpu_job={"gres": "gpu:1", "gpu_model": "a100"})
    with pytest.raises(ValidationError, match="write that below gpu_job"):
        ClusterSettings(every_job={"gpu": 1})


DRY_RUN = """\
Building DAG of jobs...
Job stats:
job      count
-----  -------
train        1

[Sat Nov 21 17:43:12 2026]
rule train:
    input: scripts/train.py
    output: results/paper/models/x
    wildcards: dataset=cifar10, noise=sdm, network=s-0.40, marginal=published, recipe=paper, seed=42
    resources: mem_mb=4001, gpu=1
[Sat Nov 21 17:43:12 2026]
localrule download:
    wildcards: dataset=cifar10
rule claims:
    output: results/paper/claims.csv
localrule fig2a:
    input: results/paper/figures/fig2a.pdf
localrule all:
    input: everything
"""


def test_the_plan_is_of_the_jobs_that_a_dry_run_names(config):
    jobs = planned_jobs(DRY_RUN, Costs(config, GPU_GUESS))
    assert [job.rule for job in jobs] == ["train", "download", "claims"]
    assert jobs[0].wildcards == {**MODEL, "recipe": "paper"}
    found = table(jobs)
    assert found["jobs"].to_dict() == {"train": 1, "download": 1, "claims": 1}
    assert found["GPU hours"]["train"] == pytest.approx(jobs[0].cost.seconds / 3600)
    assert found["CPU hours"]["train"] == 0 < found["CPU hours"]["claims"]


def point(costs: Costs, seed: int, slug: str) -> list[Job]:
    wildcards = {**MODEL, "recipe": "paper", "seed": str(seed), "sampler": slug, "extractor": "inception"}
    return [
        Job(rule, wildcards, costs.of(rule, wildcards)) for rule in ("features_samples", "sample", "train")
    ]


def test_wall_time_is_that_of_a_queue(config):
    """One point cannot be divided, several are shared, and no job is before what it waits for."""
    costs = Costs(config, GPU_GUESS)
    slug = sampler(config, 50)
    one = point(costs, 0, slug)
    alone = sum(job.cost.seconds for job in one)
    assert wall_seconds(one, 1) == wall_seconds(one, 8) == pytest.approx(alone)
    four = [job for seed in range(4) for job in point(costs, seed, slug)]
    assert wall_seconds(four, 1) == pytest.approx(4 * alone)
    assert wall_seconds(four, 2) == pytest.approx(2 * alone)
    assert wall_seconds(four, 4) == pytest.approx(alone)


def test_files_in_progress_are_of_the_jobs_that_run_at_once(config):
    costs = Costs(config, GPU_GUESS)
    jobs = point(costs, 0, sampler(config, 50)) + point(costs, 1, sampler(config, 50))
    training = jobs[2].cost.scratch_mb
    assert scratch_mb(jobs, 1) == training
    assert scratch_mb(jobs, 2) == 2 * training
