"""Get the weights of a feature extractor, verified, in the layout that torch-fidelity loads."""

import argparse
from pathlib import Path

import torch

from shapednoise.console import log, run
from shapednoise.data.download import fetch_configured
from shapednoise.files import atomic_path, sha256_of_file, write_json
from shapednoise.metrics.weights import NO_CLASSIFIER, has_classifier, read_weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extractor", help="name of the extractor in the config")
    parser.add_argument("--config", type=Path, required=True, help="sources.json of the data folder")
    parser.add_argument("--weights", type=Path, required=True, help="state dict to write (.pth)")
    parser.add_argument("--manifest", type=Path, required=True, help="manifest to write (.json)")
    parser.add_argument("--offline", action="store_true", help="use no network, only what is there")
    arguments = parser.parse_args()

    path, source = fetch_configured(arguments.config, "extractors", arguments.extractor, arguments.offline)
    state = read_weights(path, source)
    complete = has_classifier(state)
    if not complete:
        log.warning("no Inception Score: %s", NO_CLASSIFIER)
    with atomic_path(arguments.weights) as temporary:
        torch.save(state, temporary)
    record = {"source": str(source), "sha256": sha256_of_file(path), "classification_layer": complete}
    write_json(arguments.manifest, record)


run(main)
