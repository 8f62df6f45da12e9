"""What follows from the noise shapes alone, without training."""


rule drift:
    input:
        code=code("drift"),
    output:
        f"{RESULTS}/tables/drift/{{figure}}.csv",
    log:
        f"{RESULTS}/logs/drift/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/drift/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("drift"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        name=lambda w: figure(w).noise,
        shapes=lambda w: shapes_json((figure(w).noise, s) for s in figure(w).strengths),
        schedule=as_json(CONFIG.recipes[CONFIG.recipe].training.schedule),
        steps=lambda w: list(figure(w).steps),
    shell:
        "python {input.code[0]} --name {params.name} --shapes {params.shapes:q}"
        " --schedule {params.schedule:q} --steps {params.steps} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"
