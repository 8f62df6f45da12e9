"""The verdict on every claim, from the tables of whatever the targets make."""

EVIDENCE = LAYOUT.evidence()


rule claims:
    input:
        [path for names in EVIDENCE.values() for paths in names.values() for path in paths],
        code=code("claims", *modules_of("claims")),
    output:
        table=f"{RESULTS}/claims.csv",
        markdown=f"{RESULTS}/claims.md",
    log:
        f"{RESULTS}/logs/claims.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims.tsv"
    conda:
        ENVIRONMENT
    resources:
        **job("claims"),
    params:
        script=script("claims"),
        evidence=json.dumps(EVIDENCE),
        defaults=json.dumps(theory_facts(CONFIG)),
    shell:
        "python {params.script:q} --evidence {params.evidence:q} --defaults {params.defaults:q}"
        " --table {output.table:q} --markdown {output.markdown:q}"
        " 2>&1 | log_to {log:q}"
