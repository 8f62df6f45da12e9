"""Get the weights of a feature extractor, verified; Inception's are written in torch-fidelity's layout."""

import argparse
import io
from pathlib import Path

import torch

from shapednoise.data.sources.fetch import fetch_configured
from shapednoise.files import atomic_path, sha256_of_file, write_json
from shapednoise.log import log
from shapednoise.metrics.weights import NO_CLASSIFIER, content_of, has_classifier, read_weights
from shapednoise.workflow.cli import resolved_config, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extractor", help="name of the extractor in the config")
    parser.add_argument(
        "--config", type=resolved_config, required=True, help="config.json of the results folder"
    )
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
            state = read_weights(path, source)
            record["classification_layer"] = has_classifier(state)
            content = io.BytesIO()  # a file's own name would be among its bytes
            torch.save(state, content)
            temporary.write_bytes(content.getvalue())
        else:
            temporary.write_bytes(content_of(path, source))
    if not record.get("classification_layer", True):
        log.warning("no Inception Score: %s", NO_CLASSIFIER)
    record["sha256_of_weights"] = sha256_of_file(arguments.weights)  # as the records of features have it
    write_json(arguments.manifest, {"network": settings["network"], **record})


run(main)
