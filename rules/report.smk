"""What `snakemake --report` shows besides figures and samples: pages of tables, and an introduction."""

from shapednoise.files import sha256_of_json
from shapednoise.workflow.report import INTRODUCTIONS, run_about

PAGES = {
    "claims": [rules.claims.output.table],
    "training": LAYOUT.training_curves(),
    "scores": [rules.table_of_all.output[0]] if LAYOUT.all_scores() else [],
    "hyperparameters": [
        f"{RESULTS}/tables/hyperparameters/{name}.csv" for name in LAYOUT.wanted_experiments()
    ],
    "provenance": LAYOUT.provenances(),
}


# The introduction is given nothing but the config.
config["report_about"] = run_about(LAYOUT)


report: "../report/workflow.rst"


rule page:
    input:
        lambda w: PAGES[w.page],
        code=code("page"),
    output:
        report(
            f"{RESULTS}/report/{{page}}.html",
            caption="../report/caption.rst",
            category=lambda w: "1. Claims" if w.page == "claims" else "4. Training and tables",
            labels={"page": "{page}"},
        ),
    log:
        f"{RESULTS}/logs/page/{{page}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/page/{{page}}.tsv"
    wildcard_constraints:
        page=one_of(PAGES),
    conda:
        ENVIRONMENT
    resources:
        **job("page"),
    params:
        script=script("page"),
        page="{page}",
        inputs=lambda w: PAGES[w.page],
        about=lambda w, output: INTRODUCTIONS[w.page],
    shell:
        "python {params.script:q} {params.page:q} --inputs {params.inputs:q} --output {output:q}"
        " 2>&1 | log_to {log:q}"


# The config is no file that a rule makes: it is written down before the first job.
use rule page as page_of_config with:
    input:
        code=code("page"),
    output:
        report(
            f"{RESULTS}/report/config.html",
            caption="../report/caption.rst",
            category="4. Training and tables",
            labels={"page": "config"},
        ),
    log:
        f"{RESULTS}/logs/page/config.log",
    benchmark:
        f"{RESULTS}/benchmarks/page/config.tsv"
    params:
        script=script("page"),
        page="config",
        inputs=untracked_snapshot,
        about=lambda w, output: INTRODUCTIONS["config"],
        digest=sha256_of_json(CONFIG.model_dump(mode="json")),


# Everything that a report shows: `make report`.
rule pages:
    input:
        [file for file in rules.all.input if not file.startswith(f"{RESULTS}/samples/")],
        LAYOUT.grids_of_report(),
        [f"{RESULTS}/report/{name}.html" for name, files in PAGES.items() if files],
        rules.page_of_config.output,
    localrule: True
