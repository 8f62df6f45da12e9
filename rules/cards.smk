"""The README.md of each model, as the Hugging Face hub reads it; scripts/publish.py sends it there."""

from shapednoise.workflow.project import dataset_facts

HERE = set(LAYOUT.grids())
SCORES, GRIDS = {}, {}  # of each wanted model; those with a grid are here
for name in LAYOUT.wanted_experiments():
    for each, file in zip(LAYOUT.sample_sets(name), LAYOUT.scores(name), strict=True):
        SCORES.setdefault(each.model.path, {})[file] = None  # in order, each once
        if (grid := f"{RESULTS}/samples/{each.path}/grid.png") in HERE:
            GRIDS.setdefault(each.model.path, grid)


rule model_card:
    input:
        code=code("model_card"),
        provenance=rules.train.output.provenance,
        scheduler=rules.train.output.scheduler,
        scores=lambda w: list(SCORES[MODEL.format(**w)]),
        grid=lambda w: GRIDS[MODEL.format(**w)],
    output:
        f"{RESULTS}/models/{MODEL}/README.md",
    log:
        f"{RESULTS}/logs/model_card/{MODEL}.log",
    benchmark:
        f"{RESULTS}/benchmarks/model_card/{MODEL}.tsv"
    conda:
        ENVIRONMENT
    resources:
        **job("model_card"),
    params:
        script=script("model_card"),
        folder=subpath(output[0], parent=True),
        dataset=lambda w: json.dumps(dataset_facts(CONFIG, w.dataset)),
    shell:
        "python {params.script:q} --model {params.folder:q} --dataset {params.dataset:q}"
        " --scores {input.scores:q} --grid {input.grid:q}"
        " 2>&1 | log_to {log:q}"


rule cards:
    input:
        [f"{RESULTS}/models/{path}/README.md" for path in GRIDS],
    localrule: True
