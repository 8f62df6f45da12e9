"""Sampling: one job a sample set, that is a model (x a strength, of many) x a sampler. It never retrains.

The jobs of a sample set have the higher a priority the later they come, here and in metrics.smk: what was
begun is finished first, so that few weights, samples and features wait on the disk.
"""


rule sample:
    input:
        code=code_of_model("sample"),
        index=rules.train.output.index,
        scheduler=rules.train.output.scheduler,
        unet=rules.train.output.unet,
        weights=rules.train.output.weights,
        snapshot=lambda w: (
            rules.train.output.snapshots.format(**w) if LAYOUT.sampler_of(w).epoch else []
        ),
    output:
        samples=temp_unless_kept("samples", f"{RESULTS}/samples/{SAMPLES}/samples.npy"),
        trajectory=temp_unless_kept("samples", f"{RESULTS}/samples/{SAMPLES}/trajectory.npz"),
        provenance=f"{RESULTS}/samples/{SAMPLES}/provenance.json",
    log:
        f"{RESULTS}/logs/sample/{SAMPLES}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sample/{SAMPLES}.tsv"
    priority: 1
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **job("sample"),
    params:
        script=script("sample"),
        sampler=lambda w: as_json(LAYOUT.sampler_of(w)),
        model=LAYOUT.drawn_from,
        strength=lambda w: f"--strength {LAYOUT.strength_of(w)}" if "/" in w.sampler else "",
        checkpoints=f"{RESULTS}/checkpoints/samples/{SAMPLES}",
        engine=untracked_engine,
    shell:
        "python {params.script:q} --model {params.model:q} {params.strength} --sampler {params.sampler:q}"
        " --threads {threads} --engine {params.engine:q} --checkpoints {params.checkpoints:q}"
        " --samples {output.samples:q}"
        " --trajectory {output.trajectory:q} --provenance {output.provenance:q}"
        " 2>&1 | log_to {log:q}"


rule pictures:
    input:
        code=code("pictures"),
        samples=rules.sample.output.samples,
        trajectory=rules.sample.output.trajectory,
    output:
        grid=f"{RESULTS}/samples/{SAMPLES}/grid.png",
        strip=f"{RESULTS}/samples/{SAMPLES}/strip.png",
        gif=f"{RESULTS}/samples/{SAMPLES}/denoising.gif",
    log:
        f"{RESULTS}/logs/pictures/{SAMPLES}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pictures/{SAMPLES}.tsv"
    priority: 3
    conda:
        ENVIRONMENT
    resources:
        **job("pictures"),
    params:
        script=script("pictures"),
    shell:
        "python {params.script:q} --samples {input.samples:q} --trajectory {input.trajectory:q}"
        " --grid {output.grid:q} --strip {output.strip:q} --gif {output.gif:q}"
        " 2>&1 | log_to {log:q}"
