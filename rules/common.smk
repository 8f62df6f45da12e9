"""What the rules share: the config, the points that it asks for, and the code that a rule reaches."""

import json
import os
import sys
from pathlib import Path

BASE = Path(workflow.basedir)
SRC = BASE / "src"
sys.path.insert(0, str(SRC))
os.environ["PYTHONPATH"] = os.pathsep.join([str(SRC), os.environ.get("PYTHONPATH", "")])
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

from shapednoise.config import BASELINE, ConfigError, parse_config
from shapednoise.files import read_json, write_json
from shapednoise.imports import reached_files
from shapednoise.points import (
    MODEL,
    SAMPLES,
    Model,
    SampleSet,
    sample_sets,
    score_file,
    wanted_experiments,
    wanted_sample_sets,
)

try:
    CONFIG = parse_config(config)
except ConfigError as error:
    sys.exit(f"error: {error}")

RESULTS = CONFIG.results
DATA = CONFIG.data_dir
# The resolved config of this run. Rules that must not rerun when unrelated keys change read it from
# here instead of declaring it as a parameter: download and weights (their content is verified) and
# table (its inputs say which points it gathers).
SNAPSHOT = f"{RESULTS}/config.json"
SAMPLE_SETS = wanted_sample_sets(CONFIG)
SAMPLERS = {
    sampler.slug: sampler
    for experiment in CONFIG.experiments
    for sampler in CONFIG.samplers_of(experiment)
}


wildcard_constraints:
    dataset=r"\w+",
    noise=r"\w+",
    strength=r"-?\d\.\d\d",
    marginal="published|exact",
    recipe=r"\w+",
    seed=r"\d+",
    sampler=r"[\w-]+",
    extractor="|".join(CONFIG.extractors),
    reference=r"all|\d+",
    experiment="|".join(CONFIG.experiments),


def claim_results():
    """Write the resolved config into the results folder, unless another configuration made that."""
    if Path(SNAPSHOT).is_file() and (owner := read_json(SNAPSHOT)["name"]) != CONFIG.name:
        sys.exit(
            f"error: {RESULTS} was made by configuration {owner!r}, this one is {CONFIG.name!r}; "
            "give `results` in the config another folder"
        )
    write_json(SNAPSHOT, CONFIG.model_dump(mode="json"))


def code(script):
    """The script and every module of src/ that it reaches: an edit of one reruns the rule."""
    files = reached_files(BASE / "scripts" / f"{script}.py", SRC)
    return [os.path.relpath(file) for file in files]


def as_json(settings, **options):
    """Settings as one line of JSON, keys in the order of the schema."""
    return settings.model_dump_json(**options)


def figure_files(figure):
    """The files of a figure."""
    return [f"{RESULTS}/figures/{figure}.{suffix}" for suffix in ("pdf", "png")]


def figures_of(kind):
    """A constraint for the wildcard {figure}: the figures of one kind."""
    names = [name for name, figure in CONFIG.figures.items() if figure.kind == kind]
    return "|".join(names) or "(?!)"


def figure(wildcards):
    """The settings of a figure."""
    return CONFIG.figures[wildcards.figure]


def recipe(wildcards):
    """The recipe of a model."""
    return CONFIG.recipes[wildcards.recipe]
