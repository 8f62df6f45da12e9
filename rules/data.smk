"""Archives and weights from the first source that has them; preprocessed and corrupted arrays."""


# None of these is tried again: bad input is bad input, and downloads have tries of their own.
# What a download yields is verified, so neither its sources nor its code can change a result: they
# are not tracked, and a new mirror reruns nothing.
rule download:
    input:
        archive_at_hand,
    output:
        f"{DATA}/{{dataset}}/download.json",
    log:
        f"{RESULTS}/logs/download/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/download/{{dataset}}.tsv"
    wildcard_constraints:
        dataset="|".join(name for name in CONFIG.datasets if CONFIG.clean_of(name) == name),
    retries: 0
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("download"),
    params:
        script=os.path.relpath(BASE / "scripts" / "download.py"),
        config=untracked_snapshot,
    shell:
        "python {params.script:q} {wildcards.dataset} --config {params.config:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule preprocess:
    input:
        code=code("preprocess"),
        download=lambda w: f"{DATA}/{w.prepared.split('/')[0]}/download.json",
    output:
        images=IMAGES,
        manifest=MANIFEST,
    log:
        f"{RESULTS}/logs/preprocess/{{prepared}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/preprocess/{{prepared}}.tsv"
    wildcard_constraints:
        prepared=prepared_where(corrupted=False),
    retries: 0
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("preprocess"),
    params:
        settings=lambda w: as_json(prepared_set(w), exclude={"sources", "title", "licence"}),
    shell:
        "python {input.code[0]} --download {input.download:q} --settings {params.settings:q}"
        " --images {output.images:q} --manifest {output.manifest:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule corrupt:
    input:
        code=code("corrupt"),
        clean=lambda w: images_of(prepared_set(w).corrupts),
        clean_manifest=lambda w: manifest_of(prepared_set(w).corrupts),
    output:
        images=IMAGES,
        manifest=MANIFEST,
    log:
        f"{RESULTS}/logs/corrupt/{{prepared}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/corrupt/{{prepared}}.tsv"
    wildcard_constraints:
        prepared=prepared_where(corrupted=True),
    retries: 0
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("corrupt"),
    params:
        settings=lambda w: as_json(prepared_set(w), exclude={"title"}),
    shell:
        "python {input.code[0]} --clean {input.clean:q} --clean-manifest {input.clean_manifest:q}"
        " --settings {params.settings:q} --images {output.images:q} --manifest {output.manifest:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule weights:
    input:
        code=code("weights"),
        dropped=dropped_weights,
        at_hand=weights_at_hand,
    output:
        weights=f"{DATA}/weights/{{extractor}}.pth",
        manifest=f"{DATA}/weights/{{extractor}}.json",
    log:
        f"{RESULTS}/logs/weights/{{extractor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/weights/{{extractor}}.tsv"
    wildcard_constraints:
        extractor="|".join(name for name in CONFIG.extractors if weights_of(name)) or "(?!)",
    retries: 0
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("weights"),
    params:
        config=untracked_snapshot,
    shell:
        "python {input.code[0]} {wildcards.extractor} --config {params.config:q}"
        " --weights {output.weights:q} --manifest {output.manifest:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


# Untracked as `download` is. The manifest stands for the folder of torch.hub, which is none of ours.
rule hub:
    output:
        f"{DATA}/weights/{{extractor}}.json",
    log:
        f"{RESULTS}/logs/hub/{{extractor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/hub/{{extractor}}.tsv"
    wildcard_constraints:
        extractor="|".join(name for name in CONFIG.extractors if hub_manifest(name)) or "(?!)",
    retries: 0
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("hub"),
    params:
        script=os.path.relpath(BASE / "scripts" / "hub.py"),
        config=untracked_snapshot,
    shell:
        "python {params.script:q} {wildcards.extractor} --config {params.config:q} --manifest {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"
