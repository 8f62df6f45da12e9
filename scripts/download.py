"""Get a data set's archive from the first source that has it, and write down which one that was."""

import argparse
from pathlib import Path

from shapednoise.data.sources.fetch import fetch_configured
from shapednoise.files import sha256_of_path, write_json
from shapednoise.workflow.cli import resolved_config, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", help="name of the data set in the config")
    parser.add_argument(
        "--config", type=resolved_config, required=True, help="config.json of the results folder"
    )
    parser.add_argument("--output", type=Path, required=True, help="where to write download.json")
    parser.add_argument("--offline", action="store_true", help="use no network, only what is there")
    arguments = parser.parse_args()

    settings, path, source = fetch_configured(
        arguments.config, "datasets", arguments.dataset, arguments.offline
    )
    record = {"file": path.as_posix(), "source": str(source), "sha256": sha256_of_path(path)}
    write_json(arguments.output, {**record, "licence": settings["licence"]})


run(main)
