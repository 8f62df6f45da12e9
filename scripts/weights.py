"""Get the weights of a feature extractor, verified, as its network loads them.

Those of Inception are written in torch-fidelity's layout, others as they come.
"""

import argparse
from pathlib import Path

import torch

from shapednoise.config.data import Source
from shapednoise.data.sources.fetch import fetch_configured
from shapednoise.files import atomic_path, sha256_of_file, write_json
from shapednoise.log import log
from shapednoise.metrics.weights import NO_CLASSIFIER, content_of, has_classifier, read_weights
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extractor", help="name of the extractor in the config")
    parser.add_argument("--config", type=Path, required=True, help="config.json of the results folder")
    parser.add_argument("--weights", type=Path, required=True, help="state dict to write (.pth)")
    parser.add_argument("--manifest", type=Path, required=True, help="manifest to write (.json)")
    parser.add_argument("--offline", action="store_true", help="use no network, only what is there")
    arguments = parser.parse_args()

    settings, path, source = fetch_configured(
        arguments.config, "extractors", arguments.extractor, arguments.offline
    )
    record = {"source": str(source), "sha256": sha256_of_file(path)}
    with atomic_path(arguments.weights) as temporary:
        if settings["network"] == "inception":
            record["classification_layer"] = write_inception(path, source, temporary)
        else:
            temporary.write_bytes(content_of(path, source))
    write_json(arguments.manifest, record)


def write_inception(path: Path, source: Source, destination: Path) -> bool:
    """Write the weights of Inception; returns whether the classification layer is there."""
    state = read_weights(path, source)
    complete = has_classifier(state)
    if not complete:
        log.warning("no Inception Score: %s", NO_CLASSIFIER)
    torch.save(state, destination)
    return complete


run(main)
