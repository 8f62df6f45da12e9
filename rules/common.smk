"""What the rules share: the config, the layout of its files, resources, and the code that a stage depends on."""

import gc
import json
import os
import re
import shlex
import sys

# A plan lives as long as the run: looking for garbage in it is a fifth of the time to plan a thousand points.
gc.set_threshold(100_000)

SRC = BASE / "src"
IS_MODULE = Path(workflow.basedir) not in (BASE, BASE / "workflow")
sys.path.insert(0, str(SRC))
# Jobs run this checkout's code with the Python that runs Snakemake, activated or not, or with that of an
# environment of their own (--sdm): Snakemake clears PYTHONPATH for conda, and what comes first stays first.
env_exports = ""
if workflow.deployment_settings.deployment_method:
    env_exports = f"export PYTHONPATH={shlex.quote(str(SRC))}; "
else:
    for variable, first in (("PYTHONPATH", SRC), ("PATH", Path(sys.executable).parent)):
        entries = [str(first), os.environ.get(variable, "")]
        os.environ.update({variable: os.pathsep.join(filter(None, entries))})

from shapednoise.errors import ConfigError
from shapednoise.workflow.code import code_digests, modules_of, operator_modules, stage_name
from shapednoise.workflow.costs import GPU_RULES, Costs, rates
from shapednoise.workflow.cli import named_options, option
from shapednoise.workflow.layout import MODEL, SAMPLES, Layout, noises_of
from shapednoise.workflow.project import (
    FIGURE_KINDS,
    check_resources,
    experiment_facts,
    parse_config,
    read_over,
    read_yaml,
    sample_set_facts,
    snapshot,
    theory_facts,
)

try:
    # Snakemake has merged these files, and the last of two equal keys counts for it.
    for file in map(Path, (BASE / "config.yaml", *workflow.overwrite_configfiles)):
        if file.suffix != ".json":
            read_yaml(file)
    # a module's config is laid over config.yaml here, since Snakemake then reads no configfile
    CONFIG = check_resources(
        parse_config(read_over(BASE / "config.yaml", config) if IS_MODULE else config)
    )
except ConfigError as error:
    sys.exit(f"error: {error}")

RESULTS, DATA = CONFIG.results, CONFIG.data_dir
LAYOUT = Layout(CONFIG)
COSTS = Costs(CONFIG, rates(BASE / "results/reference/bench", CONFIG.cluster))
OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "DIFFUSERS_OFFLINE")
# Threads that wait soon sleep: those of two jobs on the same cores would else keep each other from computing.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# What torch.compile made is kept for the jobs that follow.
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", os.path.abspath(f"{RESULTS}/checkpoints/compiled"))
if workflow.remote_exec:  # in a cluster's job: nothing there waits for a network that is not there
    os.environ.update(dict.fromkeys(OFFLINE, "1"))
# `log_to` writes what a script prints to its log as well. A signal to a whole job, as a cluster sends it,
# ends the script; the shell waits for it to write its checkpoint. A log that cannot be written because the
# disk is full does not fail a job.
shell.prefix(
    f"set -euo pipefail; trap : INT TERM USR1; {env_exports}"
    """log_to() {{ trap '' INT TERM USR1; tee "$1" || true; }}; """
)
# {prepared} is a data set and what was done to its pictures: celeba64/crop140-size64
IMAGES, MANIFEST = f"{DATA}/{{prepared}}/images.npy", f"{DATA}/{{prepared}}/manifest.json"
# The resolved config of this run, for rules that must not rerun when unrelated keys change: download and
# weights, whose content is verified.
SNAPSHOT = snapshot(CONFIG)
# Of the scripts, for --sdm conda. Elsewhere none: it would be looked for in every job of a plan.
DEPLOYMENT = {each.name for each in workflow.deployment_settings.deployment_method}
ENVIRONMENT = "../envs/shapednoise.yaml" if DEPLOYMENT else None


if "APPTAINER" in DEPLOYMENT or " " not in os.path.relpath(BASE):  # which it refuses

    container: os.path.relpath(BASE / "envs" / "shapednoise.sif")  # made by `make image`


wildcard_constraints:
    dataset=r"\w+",
    noise=r"\w+",
    network=r"s-?\d\.\d\d|together_\w+",
    marginal="published|exact",
    recipe=r"\w+",
    seed=r"\d+",
    sampler=r"(s-?\d\.\d\d/)?[\w.-]+",  # of a network of many strengths: at which
    extractor="|".join(CONFIG.extractors),
    reference=r"all|\d+",
    experiment="|".join(CONFIG.experiments),
    figure="|".join(CONFIG.figures),
    root="|".join(map(re.escape, (RESULTS, DATA))),
    stage=r"[\w.-]+",


def script(name):
    """The path of a script, seen from the working folder."""
    return os.path.relpath(BASE / "scripts" / f"{name}.py")


def code(script, *modules, root=RESULTS):
    """The file with the digest of a script's code, and of the modules that it loads by name."""
    return f"{root}/code/{stage_name(script, *modules)}.json"


def code_of_model(script):
    """That of a script which runs a model: the operators of its noise belong to it."""
    return lambda w: code(script, *operator_modules(CONFIG.shape_of_network(w.noise, w.network)))


# Snakemake does not record parameters that are functions of the output: they are no reason to rerun.
def untracked_snapshot(wildcards, output):
    """The path of the snapshot, for what all configurations share."""
    return SNAPSHOT


def untracked_engine(wildcards, output):
    """The performance settings, as one line of JSON."""
    return as_json(CONFIG.engine)


def job(rule):
    """The resources of a rule's jobs: minutes and memory by what they cost, and what the site asks for."""
    memory_mb = lambda wildcards: COSTS.of(rule, wildcards).memory_mb
    minutes = lambda wildcards: COSTS.minutes(rule, wildcards)
    varies = COSTS.varies(rule)  # a function costs time in every job of a plan
    return {
        "mem_mb": memory_mb if varies else memory_mb({}),
        "runtime": minutes if varies else minutes({}),
        **CONFIG.cluster.resources(gpu=rule in GPU_RULES),
    }


def temp_unless_kept(group, file):
    """An output that is removed once nothing in the run needs it, unless the config keeps its group."""
    return file if getattr(CONFIG.keep, group) else temp(file)


def as_json(settings, **options):
    """Settings as one line of JSON, keys in the order of the schema."""
    return settings.model_dump_json(**options)


def one_of(names):
    """A wildcard constraint: one of these names, or nothing at all."""
    return "|".join(map(re.escape, names)) or "(?!)"


def figure(wildcards):
    """The settings of a figure."""
    return CONFIG.figures[wildcards.figure]


def recipe(wildcards):
    """The recipe of a model."""
    return CONFIG.recipes[wildcards.recipe]


def prepared_set(wildcards):
    """The settings of the data set whose array is made."""
    return CONFIG.datasets[wildcards.prepared.split("/")[0]]


def require_offline_sources(what, settings, output):
    """No inputs; offline, what was not fetched ends the run, before the first job is run or queued."""
    if CONFIG.offline and not Path(output).exists():
        from shapednoise.data.sources.fetch import missing_sources

        if line := missing_sources(
            what, settings.sources, Path(DATA), Path(DATA, "downloads", what)
        ):
            sys.exit(f"error: {line}")
    return []


def of_reference(wildcards, file):
    """A file of the data set that a sample set is compared with, the clean one."""
    return file.format(**{**wildcards, "dataset": CONFIG.clean_of(wildcards.dataset)})


def code_of_table(w):
    """The code of a figure's table: its module, and the operators of the noises that it is about."""
    operators = LAYOUT.operator_modules(*noises_of(figure(w)))
    return code("closed_form", f"analysis.{figure(w).table}", *operators)


def code_of_figure(w):
    """The code of a figure: the module of its kind, and the operators of the noises that it draws itself."""
    kind = figure(w)
    draws_noise = [] if kind.table else LAYOUT.operator_modules(*noises_of(kind))
    return code("figure", f"figures.{kind.kind}", *draws_noise)
