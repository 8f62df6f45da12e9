"""Draw one real image under several noises, noised to several timesteps."""

import argparse
from pathlib import Path

from shapednoise.config.training import ScheduleSettings
from shapednoise.data.images import check_index, load_images
from shapednoise.figures.noise_gallery import noise_gallery
from shapednoise.figures.style import save
from shapednoise.files import read_json
from shapednoise.noise.process import linear_betas
from shapednoise.noise.shape import with_axis
from shapednoise.workflow.cli import json_from, run, settings_from


def main() -> None:
    arguments = parse()
    axis = read_json(arguments.pca)["axes"][0]
    points = [(noise, strength, with_axis(shape, axis)) for noise, strength, shape in arguments.points]
    betas = linear_betas(**arguments.schedule.for_diffusers())
    images = load_images(arguments.images)
    check_index(images, arguments.image, arguments.images)
    save(noise_gallery(images[arguments.image], points, arguments.timesteps, betas), arguments.output)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="canonical array (.npy)")
    parser.add_argument("--pca", type=Path, required=True, help="principal colour axes (.json)")
    parser.add_argument(
        "--points",
        type=json_from(list),
        required=True,
        help="JSON list of [noise, strength, shape without axis]",
    )
    parser.add_argument(
        "--schedule", type=settings_from(ScheduleSettings), required=True, help="variance schedule (JSON)"
    )
    parser.add_argument("--timesteps", type=int, nargs="+", required=True, help="timesteps shown")
    parser.add_argument("--image", type=int, required=True, help="index of the image shown")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="figures to write (.pdf, .png)")
    return parser.parse_args()


run(main)
