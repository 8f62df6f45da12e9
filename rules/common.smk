"""What the rules share: the config, the points that it asks for, and the code that a rule reaches."""

import gc
import json
import os
import re
import shlex
import sys
from pathlib import Path

# What the plan consists of lives as long as the run: to look for garbage among it again and again takes
# a fifth of the time to plan a thousand points.
gc.set_threshold(100_000)

BASE = Path(workflow.basedir)
SRC = BASE / "src"
sys.path.insert(0, str(SRC))
# Jobs run this checkout's code with the Python that runs Snakemake, activated or not, or with that of an
# environment of their own (--sdm): Snakemake clears PYTHONPATH for conda, and what comes first stays first.
ours = ""
if workflow.deployment_settings.deployment_method:
    ours = f"export PYTHONPATH={shlex.quote(str(SRC))}; "
else:
    for variable, first in (("PYTHONPATH", SRC), ("PATH", Path(sys.executable).parent)):
        entries = [str(first), os.environ.get(variable, "")]
        os.environ.update({variable: os.pathsep.join(filter(None, entries))})

from shapednoise.clock import date_back, date_now
from shapednoise.config.load import parse_config
from shapednoise.errors import ConfigError
from shapednoise.errors import UserError, cannot_write
from shapednoise.workflow.costs import Costs, rates
from shapednoise.errors import DamagedFile
from shapednoise.files import files_of, read_json, write_json
from shapednoise.workflow.code import import_closure
from shapednoise.workflow.locks import keep
from shapednoise.workflow.layout import (
    MODEL,
    SAMPLES,
    prepared,
    sample_sets,
    score_files,
    wanted_experiments,
    wanted_sample_sets,
    wanted_score_files,
)

try:
    CONFIG = parse_config(config)
except ConfigError as error:
    sys.exit(f"error: {error}")

RESULTS = CONFIG.results
DATA = CONFIG.data_dir
COSTS = Costs(CONFIG, rates(BASE / "results/reference/bench", CONFIG.cluster))
GPU_RULES = ("train", "sample", "features_data", "features_samples")
OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "DIFFUSERS_OFFLINE")
# What torch.compile made is kept for the jobs that follow.
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", os.path.abspath(f"{RESULTS}/checkpoints/compiled"))
if workflow.remote_exec:  # in a cluster's job: nothing there waits for a network that is not there
    os.environ.update(dict.fromkeys(OFFLINE, "1"))
# A signal to a whole job, as a cluster sends it, ends the script; the shell waits for it to write its checkpoint.
# A log that cannot be written, for want of space, is no reason to take a job for failed.
shell.prefix(
    f"set -euo pipefail; trap : INT TERM USR1; {ours}" 'tee() {{ command tee "$@" || true; }}; '
)
# {prepared} is a data set and what was done to its pictures: celeba64/crop140-size64
IMAGES, MANIFEST = f"{DATA}/{{prepared}}/images.npy", f"{DATA}/{{prepared}}/manifest.json"
# The resolved config of this run, for rules that must not rerun when unrelated keys change: table,
# whose inputs say which points it gathers, and download and weights, whose content is verified.
SNAPSHOT = f"{RESULTS}/config.json"
SAMPLE_SETS = wanted_sample_sets(CONFIG)
SAMPLERS = {
    (CONFIG.recipe_of(experiment), sampler.slug): sampler
    for experiment in CONFIG.experiments
    for sampler in CONFIG.samplers_of(experiment)
}


# For `snakemake --sdm apptainer`; made by `make image`.
container: os.path.relpath(BASE / "envs" / "shapednoise.sif")


wildcard_constraints:
    dataset=r"\w+",
    noise=r"\w+",
    strength=r"-?\d\.\d\d",
    marginal="published|exact",
    recipe=r"\w+",
    seed=r"\d+",
    sampler=r"[\w.-]+",
    extractor="|".join(CONFIG.extractors),
    reference=r"all|\d+",
    experiment="|".join(CONFIG.experiments),


def claim_results():
    """Write down the resolved config, unless another configuration made the results folder.

    The folder is this run's until it ends. Snakemake starts its jobs without this.
    """
    try:
        if Path(SNAPSHOT).is_file() and (owner := read_json(SNAPSHOT)["name"]) != CONFIG.name:
            sys.exit(
                f"error: {RESULTS} was made by configuration {owner!r}, this one is {CONFIG.name!r}; "
                "give `results` in the config another folder"
            )
        keep(
            Path(RESULTS, ".run.lock"),
            lambda holder: f"{RESULTS} is being written by {holder}; wait until that run is done, "
            "or give `results` in the config another folder",
        )
        write_json(SNAPSHOT, CONFIG.model_dump(mode="json"))
    except (DamagedFile, UserError) as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {cannot_write(error)}")


def heed_clock():
    """Mend the dates of results and code that lie in the future, since the clock was set back."""
    datasets = {clean for name in wanted_datasets() for clean in (name, CONFIG.clean_of(name))}
    shared = [file_of(name) for name in datasets for file_of in (images_of, manifest_of)]
    own = [os.path.join(RESULTS, file) for file in files_of(RESULTS)]
    networks = [file for name in CONFIG.extractors for file in network_code(name)]
    dropped = [file for file in Path(DATA).glob("*") if file.is_file()]
    try:
        hours = date_back([*own, *shared, *fetched_files()]) / 3600
        edited = date_now([*SRC.rglob("*.py"), *BASE.glob("scripts/*.py"), *networks, *dropped])
    except OSError as error:
        sys.exit(f"error: {cannot_write(error)}")
    if hours or edited:
        print(
            f"the clock was set back: results below {RESULTS} of the future are dated back by "
            f"{hours:.0f} h, code is dated now, so that edits are seen",
            file=sys.stderr,
        )


def untracked_snapshot(wildcards, output):
    """The path of the snapshot, for what all configurations share and none is to rerun for the next.

    Snakemake does not record parameters that are functions of the output.
    """
    return SNAPSHOT


def untracked_engine(wildcards, output):
    """How fast and how safely to compute, as one line of JSON; no reason to rerun, as above."""
    return as_json(CONFIG.engine)


def job(rule):
    """The resources of a rule's jobs: minutes and memory by what they cost, and what the site asks for."""
    return {
        "mem_mb": lambda wildcards: COSTS.of(rule, wildcards).memory_mb,
        "runtime": lambda wildcards: COSTS.minutes(rule, wildcards),
        **CONFIG.cluster.resources(gpu=rule in GPU_RULES),
    }


def kept(group, file):
    """An output that is removed once nothing in the run needs it, unless the config keeps its group."""
    return file if getattr(CONFIG.keep, group) else temp(file)


def code(script):
    """The script and every module of src/ that it reaches: an edit of one reruns the rule."""
    script = BASE / "scripts" / f"{script}.py"
    files = import_closure([script], SRC)
    return [os.path.relpath(file) for file in [script, *(file for file in files if file != script)]]


def as_json(settings, **options):
    """Settings as one line of JSON, keys in the order of the schema."""
    return settings.model_dump_json(**options)


def shapes_json(points):
    """The shapes of (noise, strength) pairs as one line of JSON."""
    return json.dumps([CONFIG.shape(noise, strength) for noise, strength in points])


def points_json(points):
    """The points of a figure as one line of JSON: (noise, strength, shape)."""
    shapes = ((p.noise, p.strength, CONFIG.shape(p.noise, p.strength)) for p in points)
    return json.dumps(list(shapes))


def samplers_json(changes):
    """The default recipe's sampling with each of these changes, as far as the theory knows it."""
    samplers = CONFIG.samplers(CONFIG.recipe, changes)
    return json.dumps([sampler.in_theory() for sampler in samplers])


def measured_table(wildcards):
    """The scores that a figure of the theory is compared with, or nothing."""
    experiment = figure(wildcards).experiment
    return [f"{RESULTS}/tables/experiments/{experiment}.csv"] if experiment else []


def figure_files(figure):
    """The files of a figure."""
    return [f"{RESULTS}/figures/{figure}.{suffix}" for suffix in ("pdf", "png")]


def prepared_where(corrupted):
    """A constraint for the wildcard {prepared}: the arrays of the corrupted data sets, or the clean ones."""
    names = [name for name in CONFIG.datasets if (CONFIG.clean_of(name) != name) == corrupted]
    return "|".join(re.escape(prepared(CONFIG, name)) for name in names) or "(?!)"


def images_of(dataset):
    """The array of a data set."""
    return IMAGES.format(prepared=prepared(CONFIG, dataset))


def manifest_of(dataset):
    """The manifest beside it."""
    return MANIFEST.format(prepared=prepared(CONFIG, dataset))


def images(wildcards):
    """The array of the data set that a job is about."""
    return images_of(wildcards.dataset)


def prepared_set(wildcards):
    """The settings of the data set whose array is made."""
    return CONFIG.datasets[wildcards.prepared.split("/")[0]]


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


def fetched_files():
    """Everything that comes from outside, for the wanted data sets and feature extractors."""
    clean = {CONFIG.clean_of(name) for name in wanted_datasets()}
    downloads = [f"{DATA}/{name}/download.json" for name in sorted(clean)]
    extractors = {CONFIG.extractor_of(name) for name in wanted_experiments(CONFIG)}
    networks = (weights_of(name) + hub_manifest(name) for name in sorted(extractors))
    return [*downloads, *(file for files in networks for file in files)]


def weights_of(extractor):
    """The file of an extractor's weights; none where torch.hub or the network itself has them."""
    return [f"{DATA}/weights/{extractor}.pth"] if CONFIG.extractors[extractor].sources else []


def hub_manifest(extractor):
    """What says that torch.hub has an extractor's network, where that is where it comes from."""
    settings = CONFIG.extractors[extractor]
    return [f"{DATA}/weights/{extractor}.json"] if settings.in_hub and not settings.sources else []


def network_code(extractor):
    """The file of a network of the user's own, where it lies in the working folder: an edit is seen."""
    place, colon, _ = CONFIG.extractors[extractor].network.partition(":")
    file = os.path.join(*place.split(".")) + ".py"
    return [file] if colon and Path(file).is_file() else []


def sampler_record(sampler, **options):
    """The settings of a sampler as records have them: with the clamp that `auto` comes to."""
    return sampler.model_dump(mode="json", **options) | {"clamp": sampler.clamping}


def point(wildcards):
    """What a score belongs to, for its record."""
    settings = SAMPLERS[wildcards.recipe, wildcards.sampler]
    sampler = sampler_record(settings, exclude={"precision"})
    names = ("dataset", "noise", "marginal", "recipe")
    return json.dumps(
        {
            **{name: wildcards[name] for name in names},
            "reference": CONFIG.clean_of(wildcards.dataset),
            "strength": float(wildcards.strength),
            "seed": int(wildcards.seed),
            "sampler": sampler,
        },
        sort_keys=True,
    )


def of_reference(wildcards, file):
    """A file of the data set that a sample set is compared with, the clean one."""
    return file.format(**{**wildcards, "dataset": CONFIG.clean_of(wildcards.dataset)})


def scores_of(experiment):
    """The score files of an experiment."""
    return [f"{RESULTS}/{file}" for file in score_files(CONFIG, experiment)]


def title_of(wildcards):
    """The title of the data set that a figure's experiment is about."""
    return CONFIG.datasets[CONFIG.experiments[figure(wildcards).experiment].dataset].title


def grid_sample_sets(wildcards):
    """The sample sets that a figure of grids shows: each strength's first in the experiment."""
    settings = figure(wildcards)
    found = sample_sets(CONFIG, settings.experiment)
    by_strength = {float(wanted.model.strength): wanted for wanted in reversed(found)}
    return [by_strength[strength] for strength in settings.strengths]


def grid_titles(wildcards):
    """The title of each grid."""
    names = ((s.model.noise.upper(), float(s.model.strength)) for s in grid_sample_sets(wildcards))
    return [f"{name} (s = {strength:g})".replace("-", "\u2212") for name, strength in names]


def operator_of(wildcards):
    """The operator of the first noise of a figure's experiment that is not white."""
    noises = CONFIG.experiments[figure(wildcards).experiment].noises
    operators = [CONFIG.noises[noise].operator for noise in noises]
    return next((operator for operator in operators if operator != "ddpm"), "sdm")


def band_of(experiment):
    """The corrupted band of an experiment's data set, as figures write it."""
    low, high = CONFIG.datasets[CONFIG.experiments[experiment].dataset].band
    return f"{low:g}\u2013{high:g}"


def shown_dataset(wildcards):
    """The corrupted data set whose pictures a figure of selective omission shows."""
    return CONFIG.experiments[figure(wildcards).shown].dataset


def shown_sample_sets(wildcards):
    """Its sample sets: of isotropic noise, and of the noise that leaves the band out."""
    found = sample_sets(CONFIG, figure(wildcards).shown)
    isotropic = next(wanted for wanted in found if wanted.model.noise == "ddpm")
    omitting = next(wanted for wanted in found if wanted.model.noise != "ddpm")
    return [isotropic, omitting]


def hyperparameters_of(experiment):
    """What a table of hyperparameters compares with the published ones, as one line of JSON."""
    settings, recipe = CONFIG.experiments[experiment], CONFIG.recipes[CONFIG.recipe_of(experiment)]
    extractor = CONFIG.extractors[CONFIG.extractor_of(experiment)]
    images = CONFIG.images_of(settings.dataset)
    samplers = [sampler_record(sampler) for sampler in CONFIG.samplers_of(experiment)]
    content = {
        "name": experiment,
        "dataset": {
            "name": CONFIG.clean_of(settings.dataset),
            "band": getattr(CONFIG.datasets[settings.dataset], "band", None),
            **images.model_dump(mode="json", include={"images", "size"}),
        },
        "noises": noises_json(name for name in settings.noises if name != "ddpm"),
        "extractor": {"network": extractor.network, "layer": extractor.layer or "2048"},
        "strengths": CONFIG.strengths_of(experiment),
        "seeds": len(CONFIG.seeds_of(experiment)),
        "training": recipe.training.model_dump(mode="json"),
        "scoring": recipe.scoring.model_dump(mode="json"),
        "sampling": {
            key: one_or_all([sampler[key] for sampler in samplers]) for key in samplers[0]
        },
    }
    return json.dumps(content)


def noises_json(names):
    """The settings of noises by name."""
    return {name: CONFIG.noises[name].model_dump(mode="json") for name in names}


def one_or_all(values):
    """The value where all are equal, else the list of the different ones."""
    different = [value for place, value in enumerate(values) if value not in values[:place]]
    return different[0] if len(different) == 1 else different


def theory_defaults():
    """What the theory takes from the config, for the comparison with the published values, as JSON."""
    schedule = CONFIG.recipes[CONFIG.recipe].training.schedule.model_dump(mode="json")
    noises = noises_json(name for name in ("sdm",) if name in CONFIG.noises)
    return json.dumps({"training": {"schedule": schedule}, "noises": noises})


def grid_sampler(wildcards):
    """The sampler of the sample sets that a figure of grids shows, as JSON."""
    sampler = grid_sample_sets(wildcards)[0].sampler
    return json.dumps(sampler_record(sampler, exclude={"precision"}))


def evidence():
    """What claims are decided by, of all that the targets make: (kind, name, file)."""
    for name in wanted_experiments(CONFIG):
        yield "scores", name, f"{RESULTS}/tables/experiments/{name}.csv"
        yield "hyperparameters", name, f"{RESULTS}/tables/hyperparameters/{name}.csv"
    figures = [(target, CONFIG.figures[target]) for target in CONFIG.targets]
    for target, figure in figures:
        if figure.kind == "sample_grids":
            yield "sharpness", figure.experiment, f"{RESULTS}/tables/sharpness/{target}.csv"
        if figure.kind in ("theory", "score_limit"):
            yield figure.kind, figure.dataset, f"{RESULTS}/tables/{figure.kind}/{target}.csv"
        if figure.kind == "drift":
            yield "drift", None, f"{RESULTS}/tables/drift/{target}.csv"
    for name in sorted({CONFIG.clean_of(name) for name in wanted_datasets()}):
        yield "pca", name, f"{RESULTS}/pca/{name}.json"


def wanted_datasets():
    """The data sets of all wanted experiments and figures."""
    names = {CONFIG.experiments[name].dataset for name in wanted_experiments(CONFIG)}
    figures = (CONFIG.figures[target] for target in CONFIG.targets)
    return names | {figure.dataset for figure in figures if hasattr(figure, "dataset")}


EVIDENCE = {}
for kind, name, file in evidence():
    EVIDENCE.setdefault(kind, []).append(file)


def evidence_arguments(wildcards):
    """The options of scripts/claims.py for them."""
    options = {}
    for kind, name, file in evidence():
        option = f"--{kind.replace('_', '-')}"
        options.setdefault(option, [option]).append(f"{name}={file}" if name else file)
    return [argument for arguments in options.values() for argument in arguments]


def nothing_lacks(what, sources):
    """Nothing, for the inputs of a rule; ends the run where it is offline and no source is at hand.

    Whoever plans is told, before the first job is run or queued.
    """
    from shapednoise.data.sources.fetch import missing_sources

    if line := missing_sources(what, sources, Path(DATA), Path(DATA, "downloads", what)):
        sys.exit(f"error: {line}")
    return []


def archive_at_hand(wildcards):
    """Nothing; offline, an archive that was not fetched ends the run."""
    if not CONFIG.offline or Path(f"{DATA}/{wildcards.dataset}/download.json").exists():
        return []
    return nothing_lacks(wildcards.dataset, CONFIG.datasets[wildcards.dataset].sources)


def weights_at_hand(wildcards):
    """Nothing; offline, weights that were not fetched end the run."""
    if not CONFIG.offline or Path(weights_of(wildcards.extractor)[0]).exists():
        return []
    return nothing_lacks(wildcards.extractor, CONFIG.extractors[wildcards.extractor].sources)


def dropped_weights(wildcards):
    """The weights that the user has put into the data folder, so that a new one is taken up."""
    sources = CONFIG.extractors[wildcards.extractor].sources
    files = (os.path.join(DATA, source.file) for source in sources if source.file)
    return [file for file in files if Path(file).is_file()]


if workflow.is_main_process:
    heed_clock()
