"""The README.md of each model, as the Hugging Face hub reads it; scripts/publish.py sends it there."""

from shapednoise.workflow.project import dataset_facts

MODELS = {}  # the grids of each wanted model that is here
GRIDS = set(LAYOUT.grids())
for each in LAYOUT.wanted_sample_sets():
    if (grid := f"{RESULTS}/samples/{each.path}/grid.png") in GRIDS:
        MODELS.setdefault(each.model.path, []).append(grid)


rule model_card:
    input:
        code=code("model_card"),
        provenance=rules.train.output.provenance,
        scheduler=rules.train.output.scheduler,
        scores=lambda w: [
            file
            for file in LAYOUT.all_scores()
            if file.startswith(f"{RESULTS}/scores/{MODEL.format(**w)}/")
        ],
        grid=lambda w: MODELS[MODEL.format(**w)][0],
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
        [f"{RESULTS}/models/{path}/README.md" for path in MODELS],
    localrule: True
