"""Whether results that were copied from elsewhere are what the present settings and code would make.

Models and sample sets say what they were made by (provenance.json); the folder has the config of its last
run (config.json). How fast and where things were computed is left out: device, precision, PyTorch.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shapednoise.config.load import parse_config
from shapednoise.config.schema import Config
from shapednoise.errors import ConfigError, UserError
from shapednoise.files import read_json, sha256_of_json, sha256_of_path
from shapednoise.noise.shape import with_axis
from shapednoise.workflow.layout import Model, SampleSet, prepared, wanted_sample_sets

UNTRACKED = {"results", "data_dir", "offline", "download", "engine", "keep", "cluster", "targets"}
UNTRACKED_OF_ENTRIES = {"sources", "licence"}  # what they yield is verified
NUMBERS = ("device", "precision", "torch")


def models_there(config: Config) -> list[Model]:
    """The wanted models that the results folder has."""
    wanted = dict.fromkeys(sample_set.model for sample_set in wanted_sample_sets(config))
    return [model for model in wanted if (_folder(config, model) / "model_index.json").is_file()]


def samples_there(config: Config) -> list[SampleSet]:
    """The wanted sample sets that it has."""
    wanted = wanted_sample_sets(config)
    return [sample_set for sample_set in wanted if (_folder(config, sample_set) / "samples.npy").is_file()]


def changed_settings(config: Config) -> list[str]:
    """The keys whose values were others in the last run of the results folder.

    What only one of the two configs has, such as a further experiment, is no change. Raises UserError
    where the folder does not say what its config was.
    """
    path = Path(config.results, "config.json")
    if not path.is_file():
        raise UserError(f"there is no {path}; copy the whole results folder")
    try:
        theirs = parse_config(read_json(path))
    except ConfigError as error:
        raise UserError(f"{path} is of another version ({error})") from None
    return list(_changes(theirs.model_dump(mode="json"), config.model_dump(mode="json")))


def _changes(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    for key in ours.keys() - UNTRACKED:
        if not isinstance(ours[key], Mapping):
            if theirs[key] != ours[key]:
                yield key
            continue
        for entry in ours[key].keys() & theirs[key].keys():
            if _tracked(theirs[key][entry]) != _tracked(ours[key][entry]):
                yield f"{key}.{entry}"


def _tracked(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    return {key: value for key, value in entry.items() if key not in UNTRACKED_OF_ENTRIES}


def difference_of_model(config: Config, model: Model, code: str) -> list[str]:
    """What a model was made by that is not so now: settings, noise, code.

    code: the digest of the trainer's.
    """
    record = _record(_folder(config, model))
    shape = with_axis(config.shape(model.noise, float(model.strength)), _axis(config, model.dataset))
    theirs = record.get("scheduler", {})
    their_shape = {name: value for name, value in theirs.get("shape", {}).items() if name != "version"}
    same = {
        "training settings": record.get("training") == _as_json(config.recipes[model.recipe].training),
        "noise": (their_shape, theirs.get("reading")) == (_plain(shape), model.marginal),
        "seed": record.get("seed") == model.seed,
        "code": _fingerprint(record).get("code") == code,
    }
    return [name for name, is_same in same.items() if not is_same]


def difference_of_samples(config: Config, samples: SampleSet, code: str) -> list[str]:
    """What a sample set was made by that is not so now. code: the digest of the sampler's."""
    record = _record(_folder(config, samples))
    settings = _as_json(samples.sampler)
    if record.get("sampler") != settings:
        return ["sampler"]
    model = _folder(config, samples.model)
    facts = {"sampler": settings, **{name: record.get(name) for name in NUMBERS}}
    digests = [sha256_of_path(model / part) for part in ("unet", "scheduler")]
    return [] if record.get("fingerprint") == sha256_of_json([facts, digests, code]) else ["model or code"]


def difference_of_images(config: Config, model: Model) -> list[str]:
    """Whether a model was trained on other images than those that are prepared in the data folder."""
    manifest = Path(config.data_dir, prepared(config, model.dataset), "manifest.json")
    same = read_json(manifest)["sha256_of_pixels"] == _record(_folder(config, model)).get("sha256_of_pixels")
    return [] if same else ["images"]


def commits_of(config: Config, models: list[Model]) -> set[str]:
    """The commits of the project that models were made by, as far as they say."""
    records = (_record(_folder(config, model)) for model in models)
    return {commit for record in records if (commit := record.get("git", {}).get("commit"))}


def _folder(config: Config, made: Model | SampleSet) -> Path:
    kind = "models" if isinstance(made, Model) else "samples"
    return Path(config.results, kind, made.path)


def _record(folder: Path) -> dict[str, Any]:
    path = folder / "provenance.json"
    return read_json(path) if path.is_file() else {}


def _fingerprint(record: Mapping[str, Any]) -> Mapping[str, str]:
    found = record.get("fingerprint")
    return found if isinstance(found, Mapping) else {}


def _axis(config: Config, dataset: str) -> list[float]:
    """The colour axis of a data set; none where the results have none."""
    path = Path(config.results, "pca", f"{dataset}.json")
    return read_json(path)["axes"][0] if path.is_file() else []


def _as_json(settings: Any) -> dict[str, Any]:
    return settings.model_dump(mode="json")


def _plain(content: Any) -> Any:
    """Content as it is read back from JSON."""
    return json.loads(json.dumps(content))
