"""The drift S_t^-1 S_{t-1} of a noise shape for several strengths and numbers of steps (Eq. 12)."""

import argparse
from pathlib import Path

import torch

from shapednoise.console import run, settings_from
from shapednoise.files import atomic_path
from shapednoise.noise.drift import drift_table
from shapednoise.settings.noise import NoiseSettings
from shapednoise.settings.training import ScheduleSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="name of the noise variant")
    parser.add_argument(
        "--noise", type=settings_from(NoiseSettings), required=True, help="noise settings (JSON)"
    )
    parser.add_argument(
        "--schedule", type=settings_from(ScheduleSettings), required=True, help="variance schedule (JSON)"
    )
    parser.add_argument("--strengths", type=float, nargs="+", required=True, help="strengths s0")
    parser.add_argument("--steps", type=int, nargs="+", required=True, help="numbers of steps")
    parser.add_argument("--output", type=Path, required=True, help="table to write (.csv)")
    arguments = parser.parse_args()

    noise, schedule = arguments.noise, arguments.schedule
    betas = torch.linspace(schedule.beta_start, schedule.beta_end, schedule.timesteps)
    table = drift_table(
        arguments.name, noise.operator, noise.schedule, arguments.strengths, arguments.steps, betas
    )
    with atomic_path(arguments.output) as temporary:
        table.to_csv(temporary, index=False)


run(main)
