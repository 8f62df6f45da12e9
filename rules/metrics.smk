"""Features once per image set, scores of each sample set, one table of them an experiment."""


rule features_data:
    input:
        code=code("features"),
        images=lambda w: LAYOUT.images(w.dataset),
        weights=lambda w: LAYOUT.weights(w.extractor),
        hub=lambda w: LAYOUT.hub_manifest(w.extractor),
        network=lambda w: LAYOUT.network_code(w.extractor),
    output:
        f"{RESULTS}/features/data/{{dataset}}/{{extractor}}-ref{{reference}}.npz",
    log:
        f"{RESULTS}/logs/features_data/{{dataset}}/{{extractor}}-ref{{reference}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/features_data/{{dataset}}/{{extractor}}-ref{{reference}}.tsv"
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **job("features_data"),
    params:
        script=script("features"),
        subset=lambda w: w.reference,
        extractor=lambda w: as_json(CONFIG.extractors[w.extractor], exclude={"sources"}),
        weights=lambda w, input: ["--weights", *input.weights] if input.weights else [],
        checkpoints=f"{RESULTS}/checkpoints/features/data/{{dataset}}/{{extractor}}-ref{{reference}}",
        engine=untracked_engine,
    shell:
        "python {params.script:q} --images {input.images:q} --count {params.subset}"
        " --extractor {params.extractor:q} {params.weights:q}"
        " --threads {threads} --engine {params.engine:q} --checkpoints {params.checkpoints:q}"
        " --output {output:q}"
        " 2>&1 | log_to {log:q}"


use rule features_data as features_samples with:
    input:
        code=code("features"),
        images=rules.sample.output.samples,
        weights=lambda w: LAYOUT.weights(w.extractor),
        hub=lambda w: LAYOUT.hub_manifest(w.extractor),
        network=lambda w: LAYOUT.network_code(w.extractor),
    output:
        temp_unless_kept("features", f"{RESULTS}/features/{SAMPLES}/{{extractor}}.npz"),
    log:
        f"{RESULTS}/logs/features_samples/{SAMPLES}/{{extractor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/features_samples/{SAMPLES}/{{extractor}}.tsv"
    priority: 2
    resources:
        **job("features_samples"),
    params:
        script=script("features"),
        subset="all",
        extractor=lambda w: as_json(CONFIG.extractors[w.extractor], exclude={"sources"}),
        weights=lambda w, input: ["--weights", *input.weights] if input.weights else [],
        checkpoints=f"{RESULTS}/checkpoints/features/{SAMPLES}/{{extractor}}",
        engine=untracked_engine,


rule neighbours:
    input:
        code=code("neighbours"),
        features=rules.features_data.output,
    output:
        f"{RESULTS}/features/data/{{dataset}}/{{extractor}}-ref{{reference}}-neighbours.npy",
    log:
        f"{RESULTS}/logs/neighbours/{{dataset}}/{{extractor}}-ref{{reference}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/neighbours/{{dataset}}/{{extractor}}-ref{{reference}}.tsv"
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **job("neighbours"),
    params:
        script=script("neighbours"),
    shell:
        "python {params.script:q} --features {input.features:q} --threads {threads}"
        " --output {output:q}"
        " 2>&1 | log_to {log:q}"


rule scores:
    input:
        code=code("scores", *modules_of("metrics.measures")),
        generated=rules.features_samples.output,
        images=rules.sample.output.samples,
        real=lambda w: of_reference(w, rules.features_data.output[0]),
        pca=lambda w: of_reference(w, rules.pca.output[0]),
        neighbours=lambda w: of_reference(w, rules.neighbours.output[0]),
    output:
        f"{RESULTS}/scores/{SAMPLES}/{{extractor}}-ref{{reference}}.json",
    log:
        f"{RESULTS}/logs/scores/{SAMPLES}/{{extractor}}-ref{{reference}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/scores/{SAMPLES}/{{extractor}}-ref{{reference}}.tsv"
    priority: 3
    conda:
        ENVIRONMENT
    threads: 4
    resources:
        **job("scores"),
    params:
        script=script("scores"),
        scoring=lambda w: as_json(recipe(w).scoring),
        facts=lambda w: json.dumps(sample_set_facts(LAYOUT, w), sort_keys=True),
    shell:
        "python {params.script:q} --generated {input.generated:q} --images {input.images:q}"
        " --real {input.real:q} --pca {input.pca:q} --neighbours {input.neighbours:q}"
        " --scoring {params.scoring:q} --extractor {wildcards.extractor}"
        " --point {params.facts:q} --threads {threads} --output {output:q}"
        " 2>&1 | log_to {log:q}"


rule table:
    input:
        code=code("table"),
        scores=lambda w: LAYOUT.scores(w.experiment),
    output:
        f"{RESULTS}/tables/experiments/{{experiment}}.csv",
    log:
        f"{RESULTS}/logs/table/{{experiment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/table/{{experiment}}.tsv"
    conda:
        ENVIRONMENT
    resources:
        **job("table"),
    params:
        script=script("table"),
    shell:
        "python {params.script:q} --scores {input.scores:q} --output {output:q}"
        " 2>&1 | log_to {log:q}"


use rule table as table_of_all with:
    input:
        code=code("table"),
        scores=LAYOUT.all_scores(),
    output:
        f"{RESULTS}/tables/scores.csv",
    log:
        f"{RESULTS}/logs/table_of_all.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_of_all.tsv"
