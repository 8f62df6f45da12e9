"""Whether results that were copied from elsewhere are what the present settings and code would make.

Models and sample sets have a record of what made them (provenance.json), the folder has the config of its
last run (config.json). Where they were computed does not matter: device, precision, PyTorch.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from shapednoise.config.schema import Config
from shapednoise.config.training import snapshot_folder
from shapednoise.diffusion.training import training_facts
from shapednoise.errors import ConfigError, UserError
from shapednoise.files import read_json, sha256_of_json, sha256_of_path
from shapednoise.noise.shape import with_data
from shapednoise.workflow.code import code_digest, operator_modules, stage_name
from shapednoise.workflow.layout import Layout, Model, SampleSet
from shapednoise.workflow.project import parse_config

UNTRACKED = {"results", "data_dir", "offline", "download", "engine", "keep", "cluster", "targets"}
UNTRACKED_OF_ENTRIES = {"sources", "licence"}  # the content of downloads is verified
FACTS = {"training": "training settings", "scheduler": "noise", "sha256_of_pixels": "images"}


class ImportedResults:
    """The wanted models and sample sets that a results folder has."""

    def __init__(self, config: Config, folder: Path | None = None) -> None:
        self.config, self.folder = config, folder or Path(config.results)
        self.layout = Layout(config)
        self.wanted_samples = self.layout.wanted_sample_sets()
        self.wanted_models = list(dict.fromkeys(samples.model for samples in self.wanted_samples))
        self.models = [m for m in self.wanted_models if (self._model(m) / "provenance.json").is_file()]
        self.samples = [s for s in self.wanted_samples if (self._samples(s) / "samples.npy").is_file()]
        self._digest = cache(code_digest)

    def changed_settings(self) -> list[str]:
        """The keys with other values in the last run. Keys of only one of the two configs do not count.

        Raises UserError if the folder has no config of this version.
        """
        path = self.folder / "config.json"
        if not path.is_file():
            raise UserError(f"there is no {path}; copy the whole results folder")
        try:
            theirs = parse_config(read_json(path))
        except ConfigError as error:
            raise UserError(f"{path} is of another version ({error})") from None
        return sorted(_changes(theirs.model_dump(mode="json"), self.config.model_dump(mode="json")))

    def differences_of_models(self) -> list[str]:
        """A line for each model that other settings, code or images made."""
        return _lines("models", self.models, self._differences_of_model)

    def differences_of_samples(self) -> list[str]:
        """A line for each sample set that another sampler, model or code made."""
        return _lines("samples", self.samples, self._differences_of_samples)

    def commits(self) -> set[str]:
        """The commits of the project that the models were made by, as far as they are known."""
        records = (_record(self._model(model)) for model in self.models)
        return {commit for record in records if (commit := record.get("git", {}).get("commit"))}

    def _differences_of_model(self, model: Model) -> list[str]:
        record = _record(self._model(model))
        axes, manifest = Path(self.layout.pca(model.dataset)), Path(self.layout.manifest(model.dataset))
        axes = read_json(axes)["axes"] if axes.is_file() else [[]]
        spectrum = Path(self.layout.spectrum(model.dataset))
        spectrum = np.load(spectrum) if spectrum.is_file() else None
        source = read_json(manifest) if manifest.is_file() else record  # not prepared yet
        expected = training_facts(
            self.config.recipes[model.recipe].training, with_data(self._shape(model), axes, spectrum),
            model.marginal,
            model.seed, source.get("sha256_of_pixels"),
        )  # fmt: skip
        expected = json.loads(json.dumps(expected))
        names = [
            FACTS.get(name, name) for name, value in expected.items() if not _same(record.get(name), value)
        ]
        fingerprint = record.get("fingerprint")
        code = fingerprint.get("code") if isinstance(fingerprint, Mapping) else None
        return names + (["code"] if code != self._code("train", model) else [])

    def _differences_of_samples(self, samples: SampleSet) -> list[str]:
        record = _record(self._samples(samples))
        facts = {name: record.get(name) for name in ("sampler", "strength", "device", "precision", "torch")}
        if facts["sampler"] != samples.sampler.model_dump(mode="json"):
            return ["sampler"]
        weights = Path(f"{self._model(samples.model)}{snapshot_folder(samples.sampler.epoch)}")
        model = [sha256_of_path(weights / part) for part in ("unet", "scheduler")]
        made_by = sha256_of_json([facts, model, self._code("sample", samples.model)])
        return [] if record.get("fingerprint") == made_by else ["model or code"]

    def _code(self, script: str, model: Model) -> str:
        return self._digest(stage_name(script, *operator_modules(self._shape(model))))

    def _shape(self, model: Model) -> dict[str, Any]:
        return self.config.shape_of_network(model.noise, model.network)

    def _model(self, model: Model) -> Path:
        return self.folder / "models" / model.path

    def _samples(self, samples: SampleSet) -> Path:
        return self.folder / "samples" / samples.path


def _lines(kind: str, made: Iterable[Any], differences: Callable[[Any], list[str]]) -> list[str]:
    found = ((each.path, differences(each)) for each in made)
    return [f"{kind}/{path}: other {', other '.join(names)}" for path, names in found if names]


def _same(theirs: Any, ours: Any) -> bool:
    """Whether facts are equal, numbers up to the rounding of another machine: color axes are computed."""
    if isinstance(ours, Mapping):
        alike = isinstance(theirs, Mapping) and theirs.keys() == ours.keys()
        return alike and all(_same(theirs[key], value) for key, value in ours.items())
    if isinstance(ours, list):
        return isinstance(theirs, list) and len(theirs) == len(ours) and all(map(_same, theirs, ours))
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(theirs, ours, rel_tol=1e-9, abs_tol=1e-12)
    return bool(theirs == ours)


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


def _record(folder: Path) -> dict[str, Any]:
    path = folder / "provenance.json"
    return read_json(path) if path.is_file() else {}
