"""Features once per image set, scores of each sample set, tables and curves of each experiment."""


rule features_data:
    input:
        code=code("features"),
        images=images,
        weights=lambda w: weights_of(w.extractor),
        hub=lambda w: hub_manifest(w.extractor),
        network=lambda w: network_code(w.extractor),
    output:
        f"{RESULTS}/features/data/{{dataset}}/{{extractor}}-ref{{reference}}.npz",
    log:
        f"{RESULTS}/logs/features_data/{{dataset}}/{{extractor}}-ref{{reference}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/features_data/{{dataset}}/{{extractor}}-ref{{reference}}.tsv"
    conda:
        "../envs/shapednoise.yaml"
    threads: 8
    resources:
        **job("features_data"),
    params:
        extractor=lambda w: as_json(CONFIG.extractors[w.extractor], exclude={"sources"}),
        weights=lambda w, input: ["--weights", *input.weights] if input.weights else [],
        shards=f"{RESULTS}/checkpoints/features/data/{{dataset}}/{{extractor}}-ref{{reference}}",
        engine=untracked_engine,
    shell:
        "python {input.code[0]} --images {input.images:q} --count {wildcards.reference}"
        " --extractor {params.extractor:q} {params.weights:q}"
        " --threads {threads} --engine {params.engine:q} --shards {params.shards:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule features_samples:
    input:
        code=code("features"),
        images=rules.sample.output.samples,
        weights=lambda w: weights_of(w.extractor),
        hub=lambda w: hub_manifest(w.extractor),
        network=lambda w: network_code(w.extractor),
    output:
        kept("features", f"{RESULTS}/features/{SAMPLES}/{{extractor}}.npz"),
    log:
        f"{RESULTS}/logs/features_samples/{SAMPLES}/{{extractor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/features_samples/{SAMPLES}/{{extractor}}.tsv"
    priority: 2
    conda:
        "../envs/shapednoise.yaml"
    threads: 8
    resources:
        **job("features_samples"),
    params:
        extractor=lambda w: as_json(CONFIG.extractors[w.extractor], exclude={"sources"}),
        weights=lambda w, input: ["--weights", *input.weights] if input.weights else [],
        shards=f"{RESULTS}/checkpoints/features/{SAMPLES}/{{extractor}}",
        engine=untracked_engine,
    shell:
        "python {input.code[0]} --images {input.images:q}"
        " --extractor {params.extractor:q} {params.weights:q}"
        " --threads {threads} --engine {params.engine:q} --shards {params.shards:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


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
        "../envs/shapednoise.yaml"
    threads: 8
    resources:
        **job("neighbours"),
    shell:
        "python {input.code[0]} --features {input.features:q} --threads {threads} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule scores:
    input:
        code=code("scores"),
        generated=rules.features_samples.output,
        real=lambda w: of_reference(w, rules.features_data.output[0]),
        neighbours=lambda w: of_reference(w, rules.neighbours.output[0]),
    output:
        f"{RESULTS}/scores/{SAMPLES}/{{extractor}}-ref{{reference}}.json",
    log:
        f"{RESULTS}/logs/scores/{SAMPLES}/{{extractor}}-ref{{reference}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/scores/{SAMPLES}/{{extractor}}-ref{{reference}}.tsv"
    priority: 3
    conda:
        "../envs/shapednoise.yaml"
    threads: 4
    resources:
        **job("scores"),
    params:
        scoring=lambda w: as_json(recipe(w).scoring),
        point=point,
    shell:
        "python {input.code[0]} --generated {input.generated:q} --real {input.real:q}"
        " --neighbours {input.neighbours:q}"
        " --scoring {params.scoring:q} --extractor {wildcards.extractor}"
        " --point {params.point:q} --threads {threads} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule table:
    input:
        code=code("table"),
        scores=lambda w: scores_of(w.experiment),
    output:
        f"{RESULTS}/tables/experiments/{{experiment}}.csv",
    log:
        f"{RESULTS}/logs/table/{{experiment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/table/{{experiment}}.tsv"
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("table"),
    params:
        config=SNAPSHOT,
    shell:
        "python {input.code[0]} --config {params.config:q} --experiment {wildcards.experiment}"
        " --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule curves:
    input:
        code=code("curves"),
        table=rules.table.output,
    output:
        f"{RESULTS}/tables/curves/{{experiment}}.csv",
    log:
        f"{RESULTS}/logs/curves/{{experiment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/curves/{{experiment}}.tsv"
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("curves"),
    shell:
        "python {input.code[0]} --table {input.table:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule table_of_all:
    input:
        code=code("table"),
        scores=[f"{RESULTS}/{file}" for file in wanted_score_files(CONFIG)],
    output:
        f"{RESULTS}/tables/scores.csv",
    log:
        f"{RESULTS}/logs/table_of_all.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_of_all.tsv"
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("table_of_all"),
    params:
        config=SNAPSHOT,
    shell:
        "python {input.code[0]} --config {params.config:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"
