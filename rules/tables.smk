"""Tables and spectra that one function computes, in closed form or from the tables of others."""


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
        script=script("closed_form"),
        function=lambda w: f"analysis.{figure(w).table}:{figure(w).table}_table",
        inputs=lambda w, input: named_options(figure(w).table_inputs(LAYOUT)),
        parameters=lambda w: json.dumps(figure(w).table_parameters(CONFIG)),
    shell:
        "python {params.script:q} {params.function} --inputs {params.inputs:q}"
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
        script=script("closed_form"),
        function="analysis.pca:color_pca",
        inputs=lambda w, input: named_options({"images": input.images}),
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
        script=script("closed_form"),
        function="analysis.spectrum:power_spectrum",
        inputs=lambda w, input: named_options({"images": input.images, "pca": input.pca}),
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
        script=script("closed_form"),
        function="analysis.curve:curve_table",
        inputs=lambda w, input: named_options({"table": input.table}),
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
        script=script("closed_form"),
        function="claims.published_hyperparameters:hyperparameters_table",
        inputs=[],
        parameters=lambda w: json.dumps({"experiment": experiment_facts(CONFIG, w.experiment)}),
