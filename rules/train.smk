"""Training: one job a model, that is data set x noise x strength (or many) x marginal x recipe x seed."""

from shapednoise.config.training import SNAPSHOTS


rule train:
    input:
        code=code_of_model("train"),
        images=lambda w: LAYOUT.images(w.dataset),
        manifest=lambda w: LAYOUT.manifest(w.dataset),
        pca=rules.pca.output,
        spectrum=lambda w: LAYOUT.of_data(w.dataset, w.noise).get("spectrum", []),
    output:
        index=f"{RESULTS}/models/{MODEL}/model_index.json",
        scheduler=f"{RESULTS}/models/{MODEL}/scheduler/scheduler_config.json",
        unet=f"{RESULTS}/models/{MODEL}/unet/config.json",
        weights=temp_unless_kept(
            "models", f"{RESULTS}/models/{MODEL}/unet/diffusion_pytorch_model.safetensors"
        ),
        snapshots=temp_unless_kept("models", directory(f"{RESULTS}/models/{MODEL}/{SNAPSHOTS}")),
        curve=f"{RESULTS}/models/{MODEL}/training.csv",
        provenance=f"{RESULTS}/models/{MODEL}/provenance.json",
    log:
        f"{RESULTS}/logs/train/{MODEL}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{MODEL}.tsv"
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **job("train"),
    params:
        script=script("train"),
        spectrum=lambda w, input: option("spectrum", input.spectrum),
        shape=lambda w: json.dumps(CONFIG.shape_of_network(w.noise, w.network)),
        training=lambda w: as_json(recipe(w).training),
        folder=subpath(output.index, parent=True),
        checkpoints=f"{RESULTS}/checkpoints/training/{MODEL}",
        engine=untracked_engine,
        needed=lambda w, output: recipe(w).scoring.real_images_needed(),  # untracked, too
    shell:
        "python {params.script:q} --images {input.images:q} --images-needed {params.needed}"
        " --manifest {input.manifest:q} --pca {input.pca:q} {params.spectrum} --shape {params.shape:q}"
        " --marginal {wildcards.marginal} --training {params.training:q}"
        " --seed {wildcards.seed} --threads {threads}"
        " --checkpoints {params.checkpoints:q} --engine {params.engine:q}"
        " --output {params.folder:q}"
        " 2>&1 | log_to {log:q}"
