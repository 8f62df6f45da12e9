"""Reproduce "Squeezed Diffusion Models" from one config: `snakemake --cores all`, or a figure: `snakemake --cores 2 fig2a`.
config.yaml is the whole grid; overlays change parts of it: `snakemake --cores 2 --configfile demo.yaml`.
"""

import os
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")
BASE = Path(workflow.current_basedir)  # not that of a workflow which has this one as a module


configfile: f"{BASE}/config.yaml"


if os.path.isfile("site.yaml"):  # what a site has of its own, as docs/cluster.md shows

    configfile: "site.yaml"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/tables.smk"
include: "rules/train.smk"
include: "rules/sample.smk"
include: "rules/metrics.smk"
include: "rules/predict.smk"
include: "rules/figures.smk"
include: "rules/claims.smk"
include: "rules/run.smk"
include: "rules/cards.smk"


rule all:
    default_target: True
    input:
        [LAYOUT.figure(target) for target in CONFIG.targets],
        f"{RESULTS}/tables/scores.csv" if LAYOUT.all_scores() else [],
        [f"{RESULTS}/tables/curves/{name}.csv" for name in LAYOUT.wanted_experiments()],
        f"{RESULTS}/claims.csv",
        LAYOUT.grids(),
        rules.cards.input,
    localrule: True


# One target a figure, by its name in the config.
for target in CONFIG.figures:
    if workflow.is_rule(target):
        sys.exit(f"error: config: figures.{target}: a rule has this name; choose another name")

    rule:
        name:
            target
        input:
            LAYOUT.figure(target),
        localrule: True


include: "rules/report.smk"
