"""Get a data set's archive from the first source that has it, and write down which one that was."""

import argparse
from pathlib import Path

from shapednoise.console import run
from shapednoise.data.download import fetch
from shapednoise.files import read_json, sha256_of_file, write_json
from shapednoise.settings.data import Source


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", help="name of the data set in the config")
    parser.add_argument("--config", type=Path, required=True, help="config.json of the results folder")
    parser.add_argument("--output", type=Path, required=True, help="where to write download.json")
    arguments = parser.parse_args()

    config = read_json(arguments.config)
    data_dir = Path(config["data_dir"])
    sources = [Source(**source) for source in config["datasets"][arguments.dataset]["sources"]]
    path, source = fetch(arguments.dataset, sources, data_dir, data_dir / "downloads" / arguments.dataset)
    record = {"file": path.as_posix(), "source": str(source), "bytes": path.stat().st_size}
    write_json(arguments.output, {**record, "sha256": sha256_of_file(path)})


run(main)
