"""Sampling: one job a sample set, that is a model (x a strength, of many) x a sampler. It never retrains.

The jobs of a sample set have the higher a priority the later they come, here and in metrics.smk: what was
begun is finished first, so that few weights, samples and features wait on the disk.
"""

from shapednoise.workflow.layout import DENOISING
from shapednoise.workflow.report import in_report, sample_set_about


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
        denoising=lambda w: list(LAYOUT.denoising(w).values()),
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
        strength=LAYOUT.strength_option,
        denoising=lambda w: " ".join(option(*each) for each in LAYOUT.denoising(w).items()),
        checkpoints=f"{RESULTS}/checkpoints/samples/{SAMPLES}",
        engine=untracked_engine,
    shell:
        "python {params.script:q} --model {params.model:q} {params.strength} {params.denoising} --sampler {params.sampler:q}"
        " --threads {threads} --engine {params.engine:q} --checkpoints {params.checkpoints:q}"
        " --samples {output.samples:q}"
        " --trajectory {output.trajectory:q} --provenance {output.provenance:q}"
        " 2>&1 | log_to {log:q}"


rule denoising_variance:
    input:
        code=code_of_model("denoising_variance"),
        index=rules.train.output.index,
        scheduler=rules.train.output.scheduler,
        unet=rules.train.output.unet,
        weights=rules.train.output.weights,
        snapshots=rules.train.output.snapshots,
        images=lambda w: LAYOUT.images(w.dataset),
        pca=rules.pca.output[0],
        spectrum=rules.spectrum.output[0],
    output:
        f"{RESULTS}/denoising/{DENOISING}.json",
    log:
        f"{RESULTS}/logs/denoising_variance/{DENOISING}.log",
    benchmark:
        f"{RESULTS}/benchmarks/denoising_variance/{DENOISING}.tsv"
    wildcard_constraints:
        at=r"-?\d\.\d\d",
        epoch=r"(-epoch[\d.]+)?",
    priority: 1
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **job("denoising_variance"),
    params:
        script=script("denoising_variance"),
        model=LAYOUT.measured_model,
        strength=LAYOUT.strength_option,
        settings=lambda w: as_json(recipe(w).denoising),
        engine=untracked_engine,
    shell:
        "python {params.script:q} --model {params.model:q} {params.strength} --images {input.images:q}"
        " --pca {input.pca:q} --spectrum {input.spectrum:q} --settings {params.settings:q}"
        " --threads {threads} --engine {params.engine:q} --output {output:q}"
        " 2>&1 | log_to {log:q}"


ANIMATION = f"{RESULTS}/samples/{SAMPLES}/denoising.gif"


rule pictures:
    input:
        code=code("pictures"),
        samples=rules.sample.output.samples,
        trajectory=rules.sample.output.trajectory,
    output:
        grid=report(f"{RESULTS}/samples/{SAMPLES}/grid.png", **in_report(LAYOUT, "samples")),
        strip=f"{RESULTS}/samples/{SAMPLES}/strip.png",
        gif=(
            report(ANIMATION, **in_report(LAYOUT, "denoising"))
            if LAYOUT.reports_all_samples()
            else ANIMATION
        ),
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
        about=lambda w, output: sample_set_about(LAYOUT, w),  # untracked
    shell:
        "python {params.script:q} --samples {input.samples:q} --trajectory {input.trajectory:q}"
        " --grid {output.grid:q} --strip {output.strip:q} --gif {output.gif:q}"
        " 2>&1 | log_to {log:q}"
