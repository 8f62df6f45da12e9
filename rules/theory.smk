"""What follows from the noise shapes and from a data set's spectrum, without training."""


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
        **job("drift"),
    params:
        name=lambda w: figure(w).noise,
        shapes=lambda w: shapes_json((figure(w).noise, s) for s in figure(w).strengths),
        schedule=as_json(CONFIG.recipes[CONFIG.recipe].training.schedule),
        steps=lambda w: list(figure(w).steps),
    shell:
        "python {input.code[0]} --name {params.name} --shapes {params.shapes:q}"
        " --schedule {params.schedule:q} --steps {params.steps} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule readings:
    input:
        code=code("readings"),
    output:
        f"{RESULTS}/tables/readings/{{figure}}.csv",
    log:
        f"{RESULTS}/logs/readings/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/readings/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("readings"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("readings"),
    params:
        name=lambda w: figure(w).noise,
        shapes=lambda w: shapes_json((figure(w).noise, s) for s in figure(w).strengths),
        schedule=as_json(CONFIG.recipes[CONFIG.recipe].training.schedule),
        steps=lambda w: list(figure(w).steps),
    shell:
        "python {input.code[0]} --name {params.name} --shapes {params.shapes:q}"
        " --schedule {params.schedule:q} --steps {params.steps} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule spectra:
    input:
        code=code("spectra"),
        pca=lambda w: f"{RESULTS}/pca/{figure(w).dataset}.json",
    output:
        f"{RESULTS}/tables/spectra/{{figure}}.csv",
    log:
        f"{RESULTS}/logs/spectra/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/spectra/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("spectra"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("spectra"),
    params:
        points=lambda w: points_json(figure(w).points),
        schedule=as_json(CONFIG.recipes[CONFIG.recipe].training.schedule),
        size=lambda w: CONFIG.images_of(figure(w).dataset).size,
        images=lambda w: figure(w).images,
    shell:
        "python {input.code[0]} --pca {input.pca:q} --points {params.points:q}"
        " --schedule {params.schedule:q} --size {params.size} --images {params.images}"
        " --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule spectrum:
    input:
        code=code("spectrum"),
        images=images,
        pca=rules.pca.output,
    output:
        f"{RESULTS}/spectrum/{{dataset}}.npy",
    log:
        f"{RESULTS}/logs/spectrum/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/spectrum/{{dataset}}.tsv"
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("spectrum"),
    shell:
        "python {input.code[0]} --images {input.images:q} --pca {input.pca:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule score_limit:
    input:
        code=code("score_limit"),
        spectrum=lambda w: f"{RESULTS}/spectrum/{figure(w).dataset}.npy",
        pca=lambda w: f"{RESULTS}/pca/{figure(w).dataset}.json",
    output:
        f"{RESULTS}/tables/score_limit/{{figure}}.csv",
    log:
        f"{RESULTS}/logs/score_limit/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_limit/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("score_limit"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("score_limit"),
    params:
        points=lambda w: points_json(figure(w).points),
    shell:
        "python {input.code[0]} --spectrum {input.spectrum:q} --pca {input.pca:q}"
        " --points {params.points:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule theory:
    input:
        code=code("theory"),
        spectrum=lambda w: f"{RESULTS}/spectrum/{figure(w).dataset}.npy",
        pca=lambda w: f"{RESULTS}/pca/{figure(w).dataset}.json",
    output:
        distances=f"{RESULTS}/tables/theory/{{figure}}.csv",
        variances=f"{RESULTS}/tables/theory/{{figure}}_modes.csv",
    log:
        f"{RESULTS}/logs/theory/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/theory/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("theory"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("theory"),
    params:
        name=lambda w: figure(w).noise,
        shapes=lambda w: shapes_json((figure(w).noise, s) for s in CONFIG.grid(figure(w).strengths)),
        samplers=lambda w: samplers_json(figure(w).samplers),
        shown=lambda w: list(figure(w).shown),
        schedule=as_json(CONFIG.recipes[CONFIG.recipe].training.schedule),
    shell:
        "python {input.code[0]} --spectrum {input.spectrum:q} --pca {input.pca:q}"
        " --name {params.name} --shapes {params.shapes:q} --samplers {params.samplers:q}"
        " --shown {params.shown} --schedule {params.schedule:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"
