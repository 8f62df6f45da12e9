"""Download a network of torch.hub, DINOv2 or CLIP, into its folder, so that later jobs need no network."""

import argparse
from pathlib import Path

import torch

from shapednoise.config.data import ExtractorSettings
from shapednoise.files import read_json, write_json
from shapednoise.metrics.extractors import digest_of, load_extractor
from shapednoise.workflow.cli import resolved_config, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extractor", help="name of the extractor in the config")
    parser.add_argument("--config", type=resolved_config, required=True, help="resolved config (.json)")
    parser.add_argument("--manifest", type=Path, required=True, help="manifest to write (.json)")
    parser.add_argument("--offline", action="store_true", help="use no network, only what is there")
    arguments = parser.parse_args()

    config = read_json(arguments.config)
    settings = ExtractorSettings(**config["extractors"][arguments.extractor])
    online = not (arguments.offline or config["offline"])
    extractor = load_extractor(None, torch.device("cpu"), settings, online)
    record = {"source": f"torch.hub: {settings.network}", "sha256": digest_of(extractor, None)}
    write_json(arguments.manifest, record)


run(main)
