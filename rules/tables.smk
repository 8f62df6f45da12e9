"""Tables and spectra that one function computes, in closed form or from the tables of others."""


def noises_of(figure):
    """The noises that a figure names."""
    return [point.noise for point in getattr(figure, "points", ())] + (
        [figure.noise] if hasattr(figure, "noise") else []
    )


def code_of_table(w):
    """The code of a figure's table: its module, and the operators of the noises that it is about."""
    operators = LAYOUT.operator_modules(*noises_of(figure(w)))
    return code("closed_form", f"analysis.{figure(w).table}", *operators)


# The tables of figures: the function of the module that the kind of figure names. The other rules of
# this family call other functions; a function gets its inputs, loaded, and its parameters by name.
rule closed_form:
    input:
        unpack(lambda w: figure(w).table_inputs(LAYOUT)),
        code=code_of_table,
    output:
        f"{RESULTS}/tables/{{table}}/{{figure}}.csv",
    log:
        f"{RESULTS}/logs/closed_form/{{table}}/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/closed_form/{{table}}/{{figure}}.tsv"
    wildcard_constraints:
        table=one_of({kind.table for kind in FIGURE_KINDS.values() if kind.table} - {"theory"}),
    conda:
        ENVIRONMENT
    resources:
        **job("closed_form"),
    params:
        function=lambda w: f"analysis.{figure(w).table}:{figure(w).table}_table",
        inputs=lambda w, input: named(figure(w).table_inputs(LAYOUT)),
        parameters=lambda w: json.dumps(figure(w).table_parameters(CONFIG)),
    shell:
        "python {SCRIPTS:q}/closed_form.py {params.function} --inputs {params.inputs:q}"
        " --parameters {params.parameters:q} --output {output:q}"
        " 2>&1 | log_to {log:q}"


# With a second table, of the variances by frequency.
use rule closed_form as theory with:
    output:
        f"{RESULTS}/tables/theory/{{figure}}.csv",
        f"{RESULTS}/tables/theory/{{figure}}_modes.csv",
    log:
        f"{RESULTS}/logs/theory/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/theory/{{figure}}.tsv"
    resources:
        **job("theory"),


use rule closed_form as pca with:
    input:
        code=code("closed_form", "analysis.pca"),
        images=lambda w: LAYOUT.images(w.dataset),
    output:
        f"{RESULTS}/pca/{{dataset}}.json",
    log:
        f"{RESULTS}/logs/pca/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pca/{{dataset}}.tsv"
    resources:
        **job("pca"),
    params:
        function="analysis.pca:color_pca",
        inputs=lambda w, input: named({"images": input.images}),
        parameters="{}",


use rule closed_form as spectrum with:
    input:
        code=code("closed_form", "analysis.spectrum"),
        images=lambda w: LAYOUT.images(w.dataset),
        pca=rules.pca.output[0],
    output:
        f"{RESULTS}/spectrum/{{dataset}}.npy",
    log:
        f"{RESULTS}/logs/spectrum/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/spectrum/{{dataset}}.tsv"
    resources:
        **job("spectrum"),
    params:
        function="analysis.spectrum:power_spectrum",
        inputs=lambda w, input: named({"images": input.images, "pca": input.pca}),
        parameters="{}",


# Means over seeds, quadratic fits and optima of an experiment's scores.
use rule closed_form as curves with:
    input:
        code=code("closed_form", "analysis.curve"),
        table=lambda w: LAYOUT.scores_table(w.experiment),
    output:
        f"{RESULTS}/tables/curves/{{experiment}}.csv",
    log:
        f"{RESULTS}/logs/curves/{{experiment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/curves/{{experiment}}.tsv"
    params:
        function="analysis.curve:curve_table",
        inputs=lambda w, input: named({"table": input.table}),
        parameters="{}",


# The published hyperparameters beside those of an experiment.
use rule closed_form as hyperparameters with:
    input:
        code=code("closed_form", "claims.published_hyperparameters"),
    output:
        f"{RESULTS}/tables/hyperparameters/{{experiment}}.csv",
    log:
        f"{RESULTS}/logs/hyperparameters/{{experiment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/hyperparameters/{{experiment}}.tsv"
    params:
        function="claims.published_hyperparameters:hyperparameters_table",
        inputs=[],
        parameters=lambda w: json.dumps({"experiment": experiment_facts(CONFIG, w.experiment)}),
