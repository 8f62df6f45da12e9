"""Archives and weights from the first source that has them; preprocessed and corrupted arrays; their PCA."""

CLEAN = [name for name in CONFIG.datasets if CONFIG.clean_of(name) == name]
CORRUPTED = [name for name in CONFIG.datasets if name not in CLEAN]


# The digest of the code of a stage: an edit that can change its results reruns it, and no other edit does.
rule code:
    output:
        "{root}/code/{stage}.json",
    log:
        "{root}/logs/code/{stage}.log",
    priority: 4  # before all others: what a point needs next is never held up by it
    localrule: True
    params:
        digests=lambda w: json.dumps(code_digests(w.stage, BASE), indent=1),
    shell:
        "printf '%s\n' {params.digests:q} > {output:q}"


# None of these is tried again: bad input is bad input, and downloads have tries of their own.
# What a download yields is verified, so neither its sources nor its code can change a result: they
# are not tracked, and a new mirror reruns nothing.
rule download:
    input:
        lambda w: require_offline_sources(
            w.dataset, CONFIG.datasets[w.dataset], f"{DATA}/{w.dataset}/download.json"
        ),
        recorded=lambda w: as_recorded(other_download, w.dataset),
    output:
        f"{DATA}/{{dataset}}/download.json",
    log:
        f"{RESULTS}/logs/download/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/download/{{dataset}}.tsv"
    wildcard_constraints:
        dataset=one_of(CLEAN),
    retries: 0
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **job("download"),
    params:
        script=script("download"),
        config=untracked_snapshot,
    shell:
        "python {params.script:q} {wildcards.dataset} --config {params.config:q} --output {output:q}"
        " 2>&1 | log_to {log:q}"


rule preprocess:
    input:
        code=code("preprocess", root=DATA),
        download=lambda w: LAYOUT.download(w.prepared.split("/")[0]),
        recorded=lambda w: as_recorded(other_array, w.prepared.split("/")[0]),
    output:
        images=IMAGES,
        manifest=MANIFEST,
    log:
        f"{RESULTS}/logs/preprocess/{{prepared}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/preprocess/{{prepared}}.tsv"
    wildcard_constraints:
        prepared=one_of(LAYOUT.prepared(name) for name in CLEAN),
    retries: 0
    conda:
        ENVIRONMENT
    resources:
        **job("preprocess"),
    params:
        script=script("preprocess"),
        settings=lambda w: as_json(prepared_set(w), exclude={"sources", "title", "licence"}),
    shell:
        "python {params.script:q} --download {input.download:q} --settings {params.settings:q}"
        " --images {output.images:q} --manifest {output.manifest:q}"
        " 2>&1 | log_to {log:q}"


rule corrupt:
    input:
        code=code("corrupt", root=DATA),
        clean=lambda w: LAYOUT.images(prepared_set(w).corrupts),
        clean_manifest=lambda w: LAYOUT.manifest(prepared_set(w).corrupts),
        recorded=lambda w: as_recorded(other_array, w.prepared.split("/")[0]),
    output:
        images=IMAGES,
        manifest=MANIFEST,
    log:
        f"{RESULTS}/logs/corrupt/{{prepared}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/corrupt/{{prepared}}.tsv"
    wildcard_constraints:
        prepared=one_of(LAYOUT.prepared(name) for name in CORRUPTED),
    retries: 0
    conda:
        ENVIRONMENT
    resources:
        **job("corrupt"),
    params:
        script=script("corrupt"),
        settings=lambda w: as_json(prepared_set(w), exclude={"title"}),
    shell:
        "python {params.script:q} --clean {input.clean:q} --clean-manifest {input.clean_manifest:q}"
        " --settings {params.settings:q} --images {output.images:q} --manifest {output.manifest:q}"
        " 2>&1 | log_to {log:q}"


rule weights:
    input:
        code=code("weights", root=DATA),
        user_supplied=lambda w: LAYOUT.user_supplied_weights(w.extractor),
        offline=lambda w: require_offline_sources(
            w.extractor, CONFIG.extractors[w.extractor], LAYOUT.weights(w.extractor)[0]
        ),
        recorded=lambda w: as_recorded(other_weights, w.extractor),
    output:
        weights=f"{DATA}/weights/{{extractor}}.pth",
        manifest=f"{DATA}/weights/{{extractor}}.json",
    log:
        f"{RESULTS}/logs/weights/{{extractor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/weights/{{extractor}}.tsv"
    wildcard_constraints:
        extractor=one_of(name for name in CONFIG.extractors if LAYOUT.weights(name)),
    retries: 0
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **job("weights"),
    params:
        script=script("weights"),
        config=untracked_snapshot,
    shell:
        "python {params.script:q} {wildcards.extractor} --config {params.config:q}"
        " --weights {output.weights:q} --manifest {output.manifest:q}"
        " 2>&1 | log_to {log:q}"


# Untracked as `download` is. The manifest stands for the folder of torch.hub, which is outside this project.
rule hub:
    input:
        recorded=lambda w: as_recorded(other_weights, w.extractor),
    output:
        f"{DATA}/weights/{{extractor}}.json",
    log:
        f"{RESULTS}/logs/hub/{{extractor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/hub/{{extractor}}.tsv"
    wildcard_constraints:
        extractor=one_of(name for name in CONFIG.extractors if LAYOUT.hub_manifest(name)),
    retries: 0
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **job("hub"),
    params:
        script=script("hub"),
        config=untracked_snapshot,
    shell:
        "python {params.script:q} {wildcards.extractor} --config {params.config:q} --manifest {output:q}"
        " 2>&1 | log_to {log:q}"


# Only what comes from outside, for a later run without a network.
rule fetch:
    input:
        LAYOUT.fetched(),
    localrule: True


# All data sets, and what `fetch` gets.
rule prepare:
    input:
        LAYOUT.fetched(),
        [LAYOUT.images(name) for name in sorted(LAYOUT.wanted_datasets())],
    localrule: True
