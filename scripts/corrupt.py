"""Write a corrupted data set: a clean one with white noise in one band of spatial frequencies."""

import argparse
from pathlib import Path

from shapednoise.config.data import CorruptionSettings
from shapednoise.data.corrupt import write_corrupted
from shapednoise.data.images import load_images
from shapednoise.files import read_json, write_json
from shapednoise.workflow.cli import run, settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clean", type=Path, required=True, help="array of the clean set (.npy)")
    parser.add_argument("--clean-manifest", type=Path, required=True, help="manifest of that array (.json)")
    parser.add_argument(
        "--settings", type=settings_from(CorruptionSettings), required=True, help="which noise (JSON)"
    )
    parser.add_argument("--images", type=Path, required=True, help="float16 array to write (.npy)")
    parser.add_argument("--manifest", type=Path, required=True, help="manifest to write (.json)")
    arguments = parser.parse_args()

    manifest = arguments.settings.model_dump(mode="json") | {"clean": read_json(arguments.clean_manifest)}
    pixels = write_corrupted(load_images(arguments.clean), arguments.settings, arguments.images)
    write_json(arguments.manifest, {**manifest, "sha256_of_pixels": pixels})


run(main)
