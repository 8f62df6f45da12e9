"""Predicted scores: real images distorted as the theory says that a sampler would, scored as samples are.

The reference, whose features all points share, is other images of the same data set.
"""

from shapednoise.workflow.project import distortion_facts, distortion_parameters

DISTORTED = "predicted/{dataset}/{point}"  # {point}: noise, strength and sampler
POINT = one_of({point for _, point in LAYOUT.distorted})


rule distort:
    input:
        code=lambda w: code(
            "closed_form",
            "analysis.distort",
            *operator_modules(distortion_facts(LAYOUT, w)["shape"]),
        ),
        images=lambda w: LAYOUT.images(w.dataset),
        spectrum=rules.spectrum.output[0],
        pca=rules.pca.output[0],
    output:
        temp_unless_kept("samples", f"{RESULTS}/{DISTORTED}/images.npy"),
    log:
        f"{RESULTS}/logs/distort/{DISTORTED}.log",
    benchmark:
        f"{RESULTS}/benchmarks/distort/{DISTORTED}.tsv"
    wildcard_constraints:
        point=POINT,
    conda:
        ENVIRONMENT
    resources:
        **job("distort"),
    params:
        script=script("closed_form"),
        inputs=lambda w, input: named_options(
            {name: input[name] for name in ("images", "spectrum", "pca")}
        ),
        parameters=lambda w: json.dumps(distortion_parameters(LAYOUT, w)),
    shell:
        "python {params.script:q} analysis.distort:distorted_images --inputs {params.inputs:q}"
        " --parameters {params.parameters:q} --output {output:q}"
        " 2>&1 | log_to {log:q}"


use rule features_samples as features_predicted with:
    input:
        code=code("features"),
        images=rules.distort.output,
        weights=lambda w: LAYOUT.weights(w.extractor),
        hub=lambda w: LAYOUT.hub_manifest(w.extractor),
        network=lambda w: LAYOUT.network_code(w.extractor),
    output:
        temp_unless_kept("features", f"{RESULTS}/features/{DISTORTED}/{{extractor}}.npz"),
    log:
        f"{RESULTS}/logs/features_predicted/{DISTORTED}/{{extractor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/features_predicted/{DISTORTED}/{{extractor}}.tsv"
    wildcard_constraints:
        point=POINT,
    resources:
        **job("features_predicted"),
    params:
        script=script("features"),
        subset="all",
        extractor=lambda w: as_json(CONFIG.extractors[w.extractor], exclude={"sources"}),
        weights=lambda w, input: ["--weights", *input.weights] if input.weights else [],
        checkpoints=f"{RESULTS}/checkpoints/features/{DISTORTED}/{{extractor}}",
        engine=untracked_engine,


use rule scores as scores_predicted with:
    input:
        code=code("scores", *modules_of("metrics.measures")),
        generated=rules.features_predicted.output,
        images=rules.distort.output,
        real=rules.features_data.output[0],
        pca=rules.pca.output[0],
        neighbours=rules.neighbours.output[0],
    output:
        f"{RESULTS}/scores/{DISTORTED}/{{extractor}}-ref{{reference}}.json",
    log:
        f"{RESULTS}/logs/scores_predicted/{DISTORTED}/{{extractor}}-ref{{reference}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/scores_predicted/{DISTORTED}/{{extractor}}-ref{{reference}}.tsv"
    wildcard_constraints:
        point=POINT,
    resources:
        **job("scores_predicted"),
    params:
        script=script("scores"),
        scoring=as_json(CONFIG.recipes[CONFIG.recipe].scoring, exclude={"reference_images"}),
        facts=lambda w: json.dumps(distortion_facts(LAYOUT, w), sort_keys=True),
