"""Figures: one rule for all kinds; a kind says what it reads and how it is drawn (package figures)."""

from shapednoise.workflow.report import figure_about, paper_of


rule figure:
    input:
        unpack(lambda w: figure(w).inputs(w.figure, LAYOUT)),
        code=code_of_figure,
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
        report(
            f"{RESULTS}/figures/{{figure}}.png",
            caption="../report/caption.rst",
            category="2. Figures",
            subcategory=lambda w: paper_of(w.figure),
            labels={"figure": "{figure}"},
        ),
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
        about=lambda w, output: figure_about(CONFIG, w.figure),  # untracked
    shell:
        "python {params.script:q} {params.kind} --inputs {params.inputs:q}"
        " --parameters {params.parameters:q} --output {output:q}"
        " 2>&1 | log_to {log:q}"
