"""The verdict on every claim, from the tables of whatever the targets make."""


rule hyperparameters:
    input:
        code=code("hyperparameters"),
    output:
        f"{RESULTS}/tables/hyperparameters/{{experiment}}.csv",
    log:
        f"{RESULTS}/logs/hyperparameters/{{experiment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/hyperparameters/{{experiment}}.tsv"
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("hyperparameters"),
    params:
        experiment=lambda w: hyperparameters_of(w.experiment),
    shell:
        "python {input.code[0]} --experiment {params.experiment:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule sharpness:
    input:
        code=code("sharpness"),
        samples=lambda w: [f"{RESULTS}/samples/{s.path}/samples.npy" for s in grid_sample_sets(w)],
    output:
        f"{RESULTS}/tables/sharpness/{{figure}}.csv",
    log:
        f"{RESULTS}/logs/sharpness/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sharpness/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("sample_grids"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("sharpness"),
    params:
        strengths=lambda w: list(figure(w).strengths),
        sampler=grid_sampler,
    shell:
        "python {input.code[0]} --samples {input.samples:q} --strengths {params.strengths}"
        " --sampler {params.sampler:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule claims:
    input:
        **EVIDENCE,
        code=list(dict.fromkeys(code("claims") + CLAIM_MODULES)),
    output:
        table=f"{RESULTS}/claims.csv",
        markdown=f"{RESULTS}/claims.md",
    log:
        f"{RESULTS}/logs/claims.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims.tsv"
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("claims"),
    params:
        evidence=evidence_json(),
        defaults=theory_defaults(),
    shell:
        "python {input.code[0]} --evidence {params.evidence:q} --defaults {params.defaults:q}"
        " --table {output.table:q}"
        " --markdown {output.markdown:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"
