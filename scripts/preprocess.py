"""Write a data set's array (uint8, N x C x H x W) and its manifest from its archive."""

import argparse
from pathlib import Path

from shapednoise.config.data import ImagesSettings
from shapednoise.data.preprocess import preprocess_archive
from shapednoise.errors import UserError
from shapednoise.files import read_json, sha256_of_path, write_json
from shapednoise.workflow.cli import run, settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--download", type=Path, required=True, help="download.json of the data set")
    parser.add_argument(
        "--settings", type=settings_from(ImagesSettings), required=True, help="what the array is (JSON)"
    )
    parser.add_argument("--images", type=Path, required=True, help="array to write (.npy)")
    parser.add_argument("--manifest", type=Path, required=True, help="manifest to write (.json)")
    arguments = parser.parse_args()

    download, settings = read_json(arguments.download), arguments.settings
    archive = Path(download["file"])
    if not archive.exists() or sha256_of_path(archive) != download["sha256"]:
        raise UserError(
            f"{archive} is gone or has changed since it was fetched; "
            f"delete {arguments.download} and run again"
        )
    content = preprocess_archive(archive, settings, arguments.images)
    origin = {"source": download["source"], "sha256_of_archive": download["sha256"]}
    kept = settings.model_dump(mode="json", include={"reader", "size", "channels", "crop", "part"})
    kept["limit"] = settings.images  # of all pictures that there are, the first ones; null: all
    terms = {"licence": download.get("licence", ""), "verified": bool(settings.sha256)}
    write_json(arguments.manifest, {**kept, **content._asdict(), **origin, **terms})


run(main)
