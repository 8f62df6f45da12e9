"""Principal colour axes of a data set."""


rule pca:
    input:
        code=code("pca"),
        images=images,
    output:
        f"{RESULTS}/pca/{{dataset}}.json",
    log:
        f"{RESULTS}/logs/pca/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pca/{{dataset}}.tsv"
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("pca"),
    shell:
        "python {input.code[0]} --images {input.images:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"
