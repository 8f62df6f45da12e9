"""Scores that are shared without models and images, a few kilobytes each, and how a run goes on from them.

The folder holds, as a results folder does, `config.json`, `code/`, `scores/`, and `models/` with the
provenance of each model alone (scripts/reference.py --scores).
"""

import shutil
from pathlib import Path

from shapednoise.config.schema import Config
from shapednoise.files import atomic_path, read_json
from shapednoise.workflow.code import code_digests
from shapednoise.workflow.import_results import ImportedResults

# The stages that a score depends on, by the first part of their names.
SCORED_BY = ("train", "denoising_variance", "sample", "features", "neighbours", "scores")
SCORED_BY += tuple(f"closed_form-analysis.{name}" for name in ("pca", "spectrum", "distort"))
# What says which points there are, not what a point is: a path and the trainings' records have that.
SELECTING = ("strengths", "seeds", "experiments", "claims", "figures")
SHARED = ("config.json", "code/*.json", "scores/**/*.json", "models/**/provenance.json")


class SharedScores(ImportedResults):
    """The wanted scores of a folder that has no models and samples."""

    def __init__(self, config: Config, folder: Path) -> None:
        super().__init__(config, folder)
        figures = [config.figures[name] for name in config.targets]
        predicted = [self.layout.predicted_scores(each) for each in figures if each.table == "predicted_fid"]
        wanted = [*self.layout.all_scores(), *(file for files in predicted for file in files)]
        files = [Path(file).relative_to(config.results) for file in wanted]
        self.scores = [file for file in dict.fromkeys(files) if (folder / file).is_file()]
        self.stages = [file.stem for file in sorted(folder.glob("code/*.json")) if _counts(file.stem)]

    def changed_settings(self) -> list[str]:
        """The keys whose values were others when the scores were made."""
        return [key for key in super().changed_settings() if key.partition(".")[0] not in SELECTING]

    def changed_code(self) -> list[str]:
        """A line for each stage whose code was another one."""
        changed = (name for name in self.stages if read_json(self._code_file(name)) != code_digests(name))
        return [f"code of {name} is another one" for name in changed]

    def needed(self) -> list[str]:
        """What scores depend on that no training makes, to be made before they count as done."""
        layout, results = self.layout, self.config.results
        datasets = {model.dataset for model in self.models}
        clean = {self.config.clean_of(name) for name in datasets}
        files = {layout.pca(name) for name in datasets | clean} | {layout.spectrum(name) for name in datasets}
        for file in self.scores:
            dataset = file.parts[2 if file.parts[1] == "predicted" else 1]
            features = f"{results}/features/data/{self.config.clean_of(dataset)}/{file.stem}"
            files |= {f"{features}.npz", f"{features}-neighbours.npy"}
        return sorted(files)

    def take(self) -> int:
        """Copy them, with what made them, to the results folder, where they are not; how many scores."""
        models = [Path("models", model.path, "provenance.json") for model in self.models]
        for file in (*self.scores, *models, *(Path("code", f"{name}.json") for name in self.stages)):
            target = Path(self.config.results, file)
            if not target.exists():
                with atomic_path(target) as temporary:
                    shutil.copyfile(self.folder / file, temporary)
        return len(self.scores)

    def _code_file(self, stage: str) -> Path:
        return self.folder / "code" / f"{stage}.json"


def _counts(stage: str) -> bool:
    return any(stage == each or stage.startswith(f"{each}-") for each in SCORED_BY)
