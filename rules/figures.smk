"""Figures, one rule a kind; each takes the settings of its figure from the config."""


rule figure_u_curve:
    input:
        code=code("figure_u_curve"),
        table=lambda w: f"{RESULTS}/tables/experiments/{figure(w).experiment}.csv",
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
        f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/figure_u_curve/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_u_curve/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("u_curve"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("figure_u_curve"),
    params:
        metric=lambda w: figure(w).metric,
        dataset=title_of,
        operator=operator_of,
    shell:
        "python {input.code[0]} --table {input.table:q} --metric {params.metric}"
        " --dataset {params.dataset:q} --operator {params.operator} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule figure_precision_recall:
    input:
        code=code("figure_precision_recall"),
        table=lambda w: f"{RESULTS}/tables/experiments/{figure(w).experiment}.csv",
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
        f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/figure_precision_recall/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_precision_recall/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("precision_recall"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("figure_precision_recall"),
    params:
        dataset=title_of,
    shell:
        "python {input.code[0]} --table {input.table:q} --dataset {params.dataset:q}"
        " --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule figure_sample_grids:
    input:
        code=code("figure_sample_grids"),
        samples=lambda w: [f"{RESULTS}/samples/{s.path}/samples.npy" for s in grid_sample_sets(w)],
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
        f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/figure_sample_grids/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_sample_grids/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("sample_grids"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("figure_sample_grids"),
    params:
        titles=grid_titles,
    shell:
        "python {input.code[0]} --samples {input.samples:q} --titles {params.titles:q}"
        " --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule figure_forward_noise:
    input:
        code=code("figure_forward_noise"),
        images=lambda w: images_of(figure(w).dataset),
        pca=lambda w: f"{RESULTS}/pca/{figure(w).dataset}.json",
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
        f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/figure_forward_noise/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_forward_noise/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("forward_noise"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("figure_forward_noise"),
    params:
        name=lambda w: figure(w).noise,
        shape=lambda w: json.dumps(CONFIG.shape(figure(w).noise, figure(w).strength)),
        signal=lambda w: figure(w).signal,
        image=lambda w: figure(w).image,
    shell:
        "python {input.code[0]} --images {input.images:q} --pca {input.pca:q}"
        " --name {params.name} --shape {params.shape:q}"
        " --signal {params.signal} --image {params.image} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule figure_drift:
    input:
        code=code("figure_drift"),
        table=rules.drift.output,
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
        f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/figure_drift/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_drift/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("drift"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("figure_drift"),
    shell:
        "python {input.code[0]} --table {input.table:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule figure_sampler_bars:
    input:
        code=code("figure_sampler_bars"),
        table=lambda w: f"{RESULTS}/tables/experiments/{figure(w).experiment}.csv",
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
        f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/figure_sampler_bars/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_sampler_bars/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("sampler_bars"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("figure_sampler_bars"),
    params:
        metric=lambda w: figure(w).metric,
        dataset=title_of,
    shell:
        "python {input.code[0]} --table {input.table:q} --metric {params.metric}"
        " --dataset {params.dataset:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule figure_omission:
    input:
        code=code("figure_omission"),
        tables=lambda w: [f"{RESULTS}/tables/experiments/{e}.csv" for e in figure(w).experiments],
        clean=lambda w: images_of(CONFIG.clean_of(shown_dataset(w))),
        corrupted=lambda w: images_of(shown_dataset(w)),
        samples=lambda w: [f"{RESULTS}/samples/{s.path}/samples.npy" for s in shown_sample_sets(w)],
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
        f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/figure_omission/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_omission/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("omission"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("figure_omission"),
    params:
        bands=lambda w: [band_of(experiment) for experiment in figure(w).experiments],
        shown=lambda w: band_of(figure(w).shown),
        metric=lambda w: figure(w).metric,
    shell:
        "python {input.code[0]} --tables {input.tables:q} --bands {params.bands:q}"
        " --shown {params.shown:q} --metric {params.metric} --clean {input.clean:q}"
        " --corrupted {input.corrupted:q} --samples {input.samples:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule figure_theory:
    input:
        code=code("figure_theory"),
        distances=rules.theory.output.distances,
        variances=rules.theory.output.variances,
        measured=measured_table,
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
        f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/figure_theory/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_theory/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("theory"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("figure_theory"),
    params:
        dataset=lambda w: CONFIG.datasets[figure(w).dataset].title,
    shell:
        "python {input.code[0]} --distances {input.distances:q} --variances {input.variances:q}"
        " --measured {input.measured:q} --dataset {params.dataset:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule figure_spectra:
    input:
        code=code("figure_spectra"),
        table=rules.spectra.output,
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
        f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/figure_spectra/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_spectra/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("spectra"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("figure_spectra"),
    shell:
        "python {input.code[0]} --table {input.table:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule figure_score_limit:
    input:
        code=code("figure_score_limit"),
        table=rules.score_limit.output,
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
        f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/figure_score_limit/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_score_limit/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("score_limit"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("figure_score_limit"),
    params:
        dataset=lambda w: CONFIG.datasets[figure(w).dataset].title,
    shell:
        "python {input.code[0]} --table {input.table:q} --dataset {params.dataset:q}"
        " --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule figure_readings:
    input:
        code=code("figure_readings"),
        table=rules.readings.output,
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
        f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/figure_readings/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_readings/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("readings"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("figure_readings"),
    shell:
        "python {input.code[0]} --table {input.table:q} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"


rule figure_noise_gallery:
    input:
        code=code("figure_noise_gallery"),
        images=lambda w: images_of(figure(w).dataset),
        pca=lambda w: f"{RESULTS}/pca/{figure(w).dataset}.json",
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
        f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/figure_noise_gallery/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_noise_gallery/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("noise_gallery"),
    conda:
        "../envs/shapednoise.yaml"
    resources:
        **job("figure_noise_gallery"),
    params:
        points=lambda w: points_json(figure(w).points),
        schedule=as_json(CONFIG.recipes[CONFIG.recipe].training.schedule),
        timesteps=lambda w: list(figure(w).timesteps),
        image=lambda w: figure(w).image,
    shell:
        "python {input.code[0]} --images {input.images:q} --pca {input.pca:q}"
        " --points {params.points:q} --schedule {params.schedule:q}"
        " --timesteps {params.timesteps} --image {params.image} --output {output:q}"
        " 2>&1 | (trap '' INT TERM USR1; tee {log:q})"
