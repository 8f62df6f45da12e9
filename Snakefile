"""Reproduce "Squeezed Diffusion Models" from one config: `snakemake --cores all`, or one figure:
`snakemake --cores 2 fig2a`. config.yaml is the whole grid; overlays change parts of it:
`snakemake --cores 2 --configfile demo.yaml`.
"""

import os

from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/config.yaml"


if os.path.isfile("site.yaml"):  # what a site has of its own, as docs/cluster.md shows

    configfile: "site.yaml"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/pca.smk"
include: "rules/theory.smk"
include: "rules/train.smk"
include: "rules/sample.smk"
include: "rules/metrics.smk"
include: "rules/figures.smk"
include: "rules/claims.smk"


localrules:
    all,
    fetch,
    prepare,
    download,
    weights,
    hub,


rule all:
    default_target: True
    input:
        [figure_files(target) for target in CONFIG.targets],
        f"{RESULTS}/tables/scores.csv" if SAMPLE_SETS else [],
        [f"{RESULTS}/tables/curves/{name}.csv" for name in wanted_experiments(CONFIG)],
        f"{RESULTS}/claims.csv",
        [f"{RESULTS}/samples/{wanted.path}/grid.png" for wanted in SAMPLE_SETS],


rule fetch:
    input:
        fetched_files(),


# All data sets, and what `fetch` gets.
rule prepare:
    input:
        fetched_files(),
        [images_of(name) for name in sorted(wanted_datasets())],


# One target a figure, by its name in the config.
for target in CONFIG.figures:

    rule:
        name:
            target
        input:
            figure_files(target),
        localrule: True


onstart:
    claim_results()
