"""Figures: one rule for all kinds; a kind says what it reads and how it is drawn (package figures)."""


def code_of_figure(w):
    """The code of a figure: the module of its kind, and the operators of the noises that it draws itself."""
    kind = figure(w)
    draws_noise = [] if kind.table else LAYOUT.operator_modules(*noises_of(kind))
    return code("figure", f"figures.{kind.kind}", *draws_noise)


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
        kind=lambda w: figure(w).kind,
        inputs=lambda w, input: named(figure(w).inputs(w.figure, LAYOUT)),
        parameters=lambda w: json.dumps(figure(w).parameters(CONFIG)),
    shell:
        "python {SCRIPTS:q}/figure.py {params.kind} --inputs {params.inputs:q}"
        " --parameters {params.parameters:q} --output {output:q}"
        " 2>&1 | log_to {log:q}"
