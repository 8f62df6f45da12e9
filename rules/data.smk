"""Archives and weights from the first source that has them; canonical and corrupted arrays."""


# What a download yields is verified, so neither its sources nor its code can change a result: they
# are not tracked, and a new mirror reruns nothing.
rule download:
    output:
        f"{DATA}/{{dataset}}/download.json",
    log:
        f"{RESULTS}/logs/download/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/download/{{dataset}}.tsv"
    wildcard_constraints:
        dataset=datasets_where(corrupted=False),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        mem_mb=1000,
        runtime=120,
    params:
        script=os.path.relpath(BASE / "scripts" / "download.py"),
        config=SOURCES,
    shell:
        "python {params.script:q} {wildcards.dataset} --config {params.config:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule canonical:
    input:
        code=code("canonical"),
        download=rules.download.output,
    output:
        images=IMAGES,
        manifest=MANIFEST,
    log:
        f"{RESULTS}/logs/canonical/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/canonical/{{dataset}}.tsv"
    wildcard_constraints:
        dataset=datasets_where(corrupted=False),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=lambda w: as_json(CONFIG.datasets[w.dataset], exclude={"sources", "title"}),
    shell:
        "python {input.code[0]} --download {input.download:q} --settings {params.settings:q}"
        " --images {output.images:q} --manifest {output.manifest:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule corrupt:
    input:
        code=code("corrupt"),
        clean=lambda w: IMAGES.format(dataset=CONFIG.clean_of(w.dataset)),
        clean_manifest=lambda w: MANIFEST.format(dataset=CONFIG.clean_of(w.dataset)),
    output:
        images=IMAGES,
        manifest=MANIFEST,
    log:
        f"{RESULTS}/logs/corrupt/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/corrupt/{{dataset}}.tsv"
    wildcard_constraints:
        dataset=datasets_where(corrupted=True),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=lambda w: as_json(CONFIG.datasets[w.dataset], exclude={"title"}),
    shell:
        "python {input.code[0]} --clean {input.clean:q} --clean-manifest {input.clean_manifest:q}"
        " --settings {params.settings:q} --images {output.images:q} --manifest {output.manifest:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule weights:
    input:
        code=code("weights"),
        dropped=dropped_weights,
    output:
        weights=f"{DATA}/weights/{{extractor}}.pth",
        manifest=f"{DATA}/weights/{{extractor}}.json",
    log:
        f"{RESULTS}/logs/weights/{{extractor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/weights/{{extractor}}.tsv"
    conda:
        "../envs/shapednoise.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        config=SOURCES,
    shell:
        "python {input.code[0]} {wildcards.extractor} --config {params.config:q}"
        " --weights {output.weights:q} --manifest {output.manifest:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"
