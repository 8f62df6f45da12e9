"""Figures: one rule for all kinds; a kind says what it reads and how it is drawn (package figures)."""


rule figure:
    input:
        unpack(lambda w: figure(w).inputs(w.figure, LAYOUT)),
        code=code_of_figure,
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
        f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/figure/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure/{{figure}}.tsv"
    conda:
        ENVIRONMENT
    resources:
        **job("figure"),
    params:
        script=script("figure"),
        kind=lambda w: figure(w).kind,
        inputs=lambda w, input: named_options(figure(w).inputs(w.figure, LAYOUT)),
        parameters=lambda w: json.dumps(figure(w).parameters(CONFIG)),
    shell:
        "python {params.script:q} {params.kind} --inputs {params.inputs:q}"
        " --parameters {params.parameters:q} --output {output:q}"
        " 2>&1 | log_to {log:q}"
