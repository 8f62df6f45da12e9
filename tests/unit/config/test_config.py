"""The config: what it accepts, what it says about what it refuses, and which points it asks for."""

import copy

import pytest
import yaml

from shapednoise.config.base import Settings, strength_text
from shapednoise.config.data import Source
from shapednoise.errors import ConfigError
from shapednoise.figures.style import noise_at_strength
from shapednoise.noise.operators import BASELINE, OPERATORS
from shapednoise.workflow.layout import Layout
from shapednoise.workflow.project import load_config, merge, parse_config, sample_set_facts


@pytest.fixture(scope="module")
def demo(repository) -> dict:
    return yaml.safe_load((repository / "demo.yaml").read_text())


def changed(content: dict, path: str, value) -> dict:
    """A copy of the config with one key set."""
    content = copy.deepcopy(content)
    *parents, last = path.split(".")
    place = content
    for key in parents:
        place = place[key]
    place[last] = value
    return content


def test_the_papers_grid(paper):
    config = parse_config(paper)
    assert len(config.strengths["grid"]) == 13
    models = {wanted.model for wanted in Layout(config).wanted_sample_sets()}
    # CIFAR-10: SDM, HDM that shares its baseline, a power law, and SDM's exact process, with three seeds each
    per_dataset = {"cifar10": 3 * (13 + 12 + 6 + 12), "cifar100": 3 * 13, "celeba64": 3 * 13}
    per_dataset |= {"fashion_mnist": 21, "mnist": 21} | {f"fashion_band{k}": 2 * 3 for k in range(1, 9)}
    for dataset, count in per_dataset.items():
        assert sum(model.dataset == dataset for model in models) == count
    assert sum(model.noise == "ddpm" for model in models) == 3 + 3 + 3 + 3 + 3 + 8 * 3
    assert len(models) == sum(per_dataset.values())


def test_the_paper_recipe_is_the_published_one(paper):
    recipe = parse_config(paper).recipes["paper"]
    training, sampling = recipe.training, recipe.sampling
    assert training.unet.channels == (128, 256, 512, 512)
    assert (training.unet.layers_per_block, training.unet.attention_levels) == (2, (4,))
    schedule = training.schedule
    assert (schedule.timesteps, schedule.beta_start, schedule.beta_end) == (1000, 1e-4, 0.02)
    assert (training.batch_size, training.learning_rate, training.weight_decay) == (128, 1e-4, 1e-6)
    assert (training.adam_betas, training.warmup_steps, training.clip_norm) == ((0.95, 0.999), 500, 1.0)
    assert (training.ema.decay, training.ema.inverse_gamma, training.ema.power) == (0.9999, 1.0, 0.75)
    assert training.epochs == 10 and training.precision.cuda == "fp16" and training.horizontal_flips
    assert (sampling.steps, sampling.spacing, sampling.variance) == (50, "leading", "fixed_small")
    assert (sampling.images, sampling.reading, sampling.clamping) == (10_000, "published", "whitened")


def test_the_demo_changes_only_the_recipe_the_grid_and_the_size_of_pictures(paper, demo, repository):
    lists = {"strengths", "seeds", "recipes", "experiments", "figures"}
    assert set(demo) == {"name", "results", "targets", "recipe", *lists}
    config = load_config(repository / "config.yaml", repository / "demo.yaml")
    assert config.recipes["paper"] == parse_config(paper).recipes["paper"]
    assert config.datasets == parse_config(paper).datasets
    wanted = Layout(config).wanted_sample_sets()
    assert [s.strength for s in wanted] == [-0.8, -0.4, -0.2, 0.0, 0.4]
    assert {s.model.network for s in wanted} == {"together_grid"}
    assert all(s.sampler.images == 256 for s in wanted)
    assert config.recipes["demo"].scoring.reference_images == 1024


def test_experiments_share_points(paper):
    config = parse_config(paper)
    several, variants = (
        Layout(config).sample_sets("cifar10_sdm"),
        Layout(config).sample_sets("cifar10_variants"),
    )
    assert set(several) < set(variants)  # the curves of SDM
    assert len(several) == 3 * 13 and len(variants) == 3 * (13 + 12)


def test_experiments_share_points_and_differ_in_their_extractor(paper):
    content = changed(paper, "extractors.other", {"network": "dinov2-vit-s-14"})
    content = changed(content, "experiments.cifar10_sdm.extractor", "other")
    config = parse_config(content)
    assert config.extractor_of("cifar10_sdm") == "other"
    several, variants = Layout(config).scores("cifar10_sdm"), Layout(config).scores("cifar10_variants")
    assert {file.rsplit("/", 1)[1] for file in several} == {"other-refall.json"}
    assert {file.rsplit("/", 1)[1] for file in variants} == {"inception-refall.json"}
    assert set(several) | set(variants) <= set(Layout(config).all_scores())
    before = parse_config(paper)
    assert len(Layout(before).all_scores()) == len(Layout(before).wanted_sample_sets())
    # its 39 sample sets belong to other experiments too, which take the other extractor
    assert len(Layout(config).all_scores()) == len(Layout(config).wanted_sample_sets()) + 39


def test_one_model_serves_many_samplers(paper):
    samplers = [{}, {"steps": 250}, {"reading": "equations"}, {"reading": "exact"}]
    config = parse_config(changed(paper, "experiments.cifar10_sdm.samplers", samplers))
    wanted = [s for s in Layout(config).sample_sets("cifar10_sdm") if s.model.seed == 42]
    at = {s: {w.model for w in wanted if w.strength == s} for s in (-0.4, 0.0)}
    assert {model.marginal for model in at[-0.4]} == {"published", "exact"}
    assert len(at[-0.4]) == 2
    assert len(at[0.0]) == 1  # white noise has one marginal
    assert len({w.path for w in wanted}) == 13 * 4


def test_one_network_serves_all_strengths_and_its_snapshots(paper):
    """Trained once a seed and marginal; every sample set has a path of its own."""
    content = changed(paper, "experiments.cifar10_sdm.together", "wide")
    content = changed(content, "recipes.paper.training.snapshots", [1, 3])
    samplers = [{}, {"epoch": 1}, {"reading": "exact"}]
    config = parse_config(changed(content, "experiments.cifar10_sdm.samplers", samplers))
    layout = Layout(config)
    wanted = [s for s in layout.sample_sets("cifar10_sdm") if s.model.seed == 42]
    models = [f"cifar10/sdm/together_wide/{marginal}/paper/seed42" for marginal in ("published", "exact")]
    assert sorted({s.model.path for s in wanted}) == sorted(models)
    assert len({s.path for s in wanted}) == 3 * len(config.strengths["grid"])
    shape = config.shape_of_network("sdm", "together_wide")
    assert shape["trained_strengths"] == sorted(config.strengths["wide"]) and shape["strength"] == 0
    snapshot = next(s for s in wanted if s.sampler.epoch and s.strength == -0.4)
    wildcards = {**vars(snapshot.model), "sampler": snapshot.name}
    assert snapshot.path.startswith(f"{models[0]}/s-0.40/ancestral50-") and "-epoch1" in snapshot.name
    assert layout.drawn_from(wildcards) == f"results/paper/models/{models[0]}/snapshots/epoch1"
    assert layout.strength_of(wildcards) == -0.4 and layout.sampler_of(wildcards) == snapshot.sampler
    facts = [sample_set_facts(layout, {**wildcards, "sampler": s.name}) for s in wanted if not s.strength]
    assert {(f["noise"], f["network"], f["strength"]) for f in facts} == {("ddpm", "together_wide", 0.0)}
    # a table without a gap, in which samplers differ: pandas takes None for no value
    assert {f["sampler"]["epoch"] for f in facts} == {1, "end"}


@pytest.mark.parametrize(
    ("strengths", "together", "key", "says"),
    [
        ([0.7], "grid", "strengths", "0.7 is outside of -1 to 0.4"),
        ([0.1], "one", "together", "one has one strength"),
    ],
)
def test_a_network_is_not_asked_for_what_it_does_not_learn(paper, strengths, together, key, says):
    content = changed(paper, "strengths.one", [0.1])
    content = changed(content, "experiments.cifar10_sdm.strengths", strengths)
    content = changed(content, "targets", ["fig2a"])
    with pytest.raises(ConfigError, match=f"experiments.cifar10_sdm.{key}: {says}"):
        parse_config(changed(content, "experiments.cifar10_sdm.together", together))


def test_the_study_trains_one_network_a_noise_and_seed(repository):
    config = load_config(repository / "config.yaml", repository / "study.yaml")
    wanted = Layout(config).wanted_sample_sets()
    models = {s.model for s in wanted if s.model.dataset == "cifar10"}
    separate = {model for model in models if not model.network.startswith("together_")}
    assert len(separate) == 3 * 2 and len(models - separate) == 4 + 4 + 2 + 2  # sdm, shorter, exact, hdm
    assert {config.images_of(model.dataset).size for model in models} == {16}
    curve = {s.strength for s in Layout(config).sample_sets("study_sdm")}
    assert curve == set(config.strengths["study"]) and min(curve) == -1.0


def test_the_clamp_follows_the_reading_unless_it_is_set(paper):
    samplers = [{}, {"reading": "equations"}, {"reading": "exact"}, {"reading": "exact", "clamp": "data"}]
    config = parse_config(changed(paper, "experiments.cifar10_sdm.samplers", samplers))
    clamps = [sampler.clamping for sampler in config.samplers_of("cifar10_sdm")]
    assert clamps == ["whitened", "off", "off", "data"]


def test_a_figure_of_the_theory_needs_only_the_experiment_that_it_shows(paper):
    alone = changed(paper, "targets", ["figT"])
    assert Layout(parse_config(alone)).wanted_sample_sets() == []
    config = parse_config(changed(alone, "figures.figT.experiment", "cifar10_sdm"))
    assert Layout(config).wanted_sample_sets() == Layout(config).sample_sets("cifar10_sdm")


def test_a_figure_needs_the_experiment_that_is_drawn_beside_its_own(repository):
    config = load_config(repository / "config.yaml", repository / "study.yaml")
    layout = Layout(config.model_copy(update={"targets": ("figY8",)}))
    assert layout.wanted_experiments() == ["study_separate", "study_short"]
    beside = config.figures["figY8"].inputs("figY8", layout)["beside"]
    assert beside.endswith("/study_short.csv")


def test_a_strength_reads_the_same_however_it_is_written():
    assert [strength_text(s) for s in (-0.4, -0.0, 0, 0.3, 1)] == ["-0.40", "0.00", "0.00", "0.30", "1.00"]


def test_exponents_without_a_dot_are_numbers(paper):
    assert isinstance(paper["recipes"]["paper"]["training"]["learning_rate"], str)  # YAML reads 1e-4 so
    assert parse_config(paper).recipes["paper"].training.learning_rate == 1e-4


@pytest.mark.parametrize(
    ("path", "value", "key", "remedy"),
    [
        ("recipes.paper.training.batchsize", 64, "recipes.paper.training.batchsize", "mean 'batch_size'"),
        (
            "recipes.paper.training.batch_size",
            0,
            "recipes.paper.training.batch_size",
            "must be 1 or more",
        ),
        ("strengths.grid", [0.40001, 0.0], "strengths.grid.0", "write 0.4"),
        (
            "experiments.cifar10_sdm.strengths",
            [0.0, 0.123],
            "experiments.cifar10_sdm.strengths.1",
            "write 0.12",
        ),
        ("experiments.cifar10_sdm.strengths", "gird", "experiments.cifar10_sdm.strengths", "mean 'grid'"),
        ("experiments.cifar10_sdm.dataset", "cifar", "experiments.cifar10_sdm.dataset", "mean 'cifar10'"),
        ("figures.fig2a.experiment", "cifar10_sdn", "figures.fig2a.experiment", "mean 'cifar10_sdm'"),
        ("figures.fig2a.metric", "fidd", "figures.fig2a.metric", "'fid'"),
        ("figures.fig3.strengths", [0.0, -0.45], "figures.fig3.strengths", "add it there"),
        ("figures.fig1.noise", "ddpm", "figures.fig1.noise", "name a noise that is shaped"),
        ("targets", ["fig9"], "targets", "did you mean"),
        ("figures.figP.reference_images", 49_500, "figures.figP.reference_images", "1000 apart from 49500"),
        ("figures.figP.images", 500, "figures.figP.images", "the scores need 1000"),
        ("figures.figP.extractor", "inceptoin", "figures.figP.extractor", "did you mean"),
        ("figures.figP.samplers", [{"steps": 9}, {"steps": 9}], "figures.figP.samplers", "each sampler once"),
        ("recipe", "papers", "recipe", "mean 'paper'"),
        ("strengths.grid", [0.1, 0.1], "strengths.grid", "each value once"),
        (
            "recipes.paper.sampling.images",
            500,
            "recipes.paper.sampling.images",
            "lower scoring.kid_subset_size",
        ),
        ("recipes.paper.sampling.steps", 2000, "recipes.paper.sampling.steps", "1000 timesteps"),
        (
            "recipes.paper.scoring.reference_images",
            60000,
            "recipes.paper.scoring.reference_images",
            "write all",
        ),
        (
            "experiments.cifar10_sdm.samplers",
            [{"step": 3}],
            "experiments.cifar10_sdm.samplers.0.step",
            "steps",
        ),
        ("datasets.cifar10.sources", [{"sha256": "0" * 64}], "datasets.cifar10.sources.0", "exactly one of"),
        ("noises.ddpm", {"operator": "sdm"}, "noises.ddpm", "baseline"),
        ("recipes.paper.training.unet.norm_groups", 24, "recipes.paper.training.unet", "multiple"),
        ("name", "a/b", "name", "letters, digits"),
        ("experiments.cifar10_sdm.extractor", "incepton", "experiments.cifar10_sdm.extractor", "'inception'"),
        ("extractors.inception.network", "resnet", "extractors.inception", "package.module:Class"),
        ("extractors.inception.layer", "512", "extractors.inception", "known: 64, 192, 768, 2048"),
        ("extractors.inception.sources", [], "extractors.inception", "add sources"),
        ("extractors.inception.network", "dinov2-vit-s-14", "extractors.inception", "has no layer '2048'"),
        (
            "extractors.other",
            {"network": "dinov2-vit-s-14", "sources": [{"file": "a"}]},
            "extractors.other",
            "torch.hub; remove sources",
        ),
        ("recipes.paper.scoring.bootstrap", 2, "recipes.paper.scoring.bootstrap", "even number from 4, or 0"),
        (
            "recipes.paper.scoring.bootstrap",
            101,
            "recipes.paper.scoring.bootstrap",
            "even number from 4, or 0",
        ),
        ("seeds.one", [-1], "seeds.one.0", "must be 0 or more"),
        ("strengths.grid", [float("nan")], "strengths.grid.0", "no finite number"),
        ("experiments.cifar10_sdm.seeds", [], "experiments.cifar10_sdm.seeds", "is empty"),
        ("figures.figB2.steps", [0], "figures.figB2.steps.0", "must be 1 or more"),
        ("figures.figB2.steps", [2000], "figures.figB2.steps", "1000 timesteps"),
        ("figures.fig1.image", 50000, "figures.fig1.image", "it has 50000"),
        ("figures.figS2.image", 50000, "figures.figS2.image", "it has 50000"),
        ("figures.figS2.timesteps", [0, 1000], "figures.figS2.timesteps", "the last one is 999"),
        ("figures.figR.steps", [2000], "figures.figR.steps", "1000 timesteps"),
        ("figures.figR.noise", "smd", "figures.figR.noise", "mean 'sdm'"),
        ("figures.figT.noise", "ddpm", "figures.figT.noise", "name a noise that is shaped"),
        ("figures.figT.strengths", "wild", "figures.figT.strengths", "mean 'wide'"),
        ("figures.figT.strengths", [0.0, 0.0], "figures.figT.strengths", "each value once"),
        ("figures.figT.shown", [0.33], "figures.figT.shown", "not among the strengths"),
        ("figures.figT.samplers", [{"step": 3}], "figures.figT.samplers.0.step", "steps"),
        ("figures.figT.samplers", [{"steps": 3000}], "figures.figT.samplers", "1000 timesteps"),
        ("figures.figT.samplers", [{}, {"steps": 50}], "figures.figT.samplers", "each sampler once"),
        ("figures.figT.experiment", "cifar100_sdm", "figures.figT.experiment", "not about sdm on cifar10"),
        ("figures.figT.experiment", "cifar10_smd", "figures.figT.experiment", "mean 'cifar10_sdm'"),
        ("figures.figS1.points", [{"noise": "hmd"}], "figures.figS1.points.0.noise", "mean 'hdm'"),
        (
            "figures.figS1.points",
            [{"noise": "ddpm", "strength": 0.4}],
            "figures.figS1.points.0.strength",
            "white noise",
        ),
        (
            "figures.figS1.points",
            [{"noise": "bandpass", "strength": -0.4}],
            "figures.figS1.points.0.strength",
            "lies in 0..1",
        ),
        ("experiments.cifar10_sdm.noises", ["bandpass"], "experiments.cifar10_sdm.strengths", "0..1"),
        (
            "noises.sdm_powerlaw.times",
            {"noise": "powerlow", "strength": 0.1},
            "noises.sdm_powerlaw.times.noise",
            "mean 'powerlaw'",
        ),
        (
            "noises.sdm_powerlaw.times",
            {"noise": "hdm", "strength": 0.1},
            "noises.sdm_powerlaw.times",
            "acts on the same basis",
        ),
        (
            "noises.sdm_powerlaw.times",
            {"noise": "bandpass", "strength": 2},
            "noises.sdm_powerlaw.times.strength",
            "0..1",
        ),
        ("noises.bandpass.high_band", [0.05, 0.2], "noises.bandpass", "bands overlap"),
        ("noises.bandpass.low_band", [0.2, 0.1], "noises.bandpass", "is reversed"),
        ("noises.bandpass.low_gain", 0.7, "noises.bandpass", "add up to 1"),
        ("noises.powerlaw.eps", 0, "noises.powerlaw.eps", "must be above 0"),
        ("noises.powerlaw.eps", float("inf"), "noises.powerlaw.eps", "finite"),
        ("noises.sdm.eps", 0.1, "noises.sdm.eps", "unknown key; known: normalize, operator"),
        (
            "noises.omit1",
            {"operator": "sagd_bandpass", "low_band": [0.001, 0.002]},
            "experiments.omission1.noises",
            "no frequency in its bands",
        ),
        ("figures.fig1.noise", "powerlaw", "figures.fig1.noise", "draws a colour axis"),
        ("figures.figB2.noise", "bandpass", "figures.figB2.noise", "draws a colour axis"),
        ("figures.figR.noise", "sdm_powerlaw", "figures.figR.noise", "draws a colour axis"),
        ("figures.figT.dataset", "mnist", "figures.figT.noise", "mnist is grey"),
        ("figures.figS1.dataset", "fashion_band1", "figures.figS1.points", "fashion_band1 is grey"),
        ("figures.fig2a.beside", "cifar10_smd", "figures.fig2a.beside", "mean 'cifar10_sdm'"),
        ("figures.fig2a.beside", "cifar10_sdm", "figures.fig2a.beside", "only one of them"),
        ("figures.figO.shown", "cifar10_sdm", "figures.figO.shown", "none of its experiments"),
        ("figures.figO.experiments", ["omission33"], "figures.figO.experiments", "mean 'omission"),
        ("experiments.omission3.dataset", "fashion_mnist", "figures.figO.experiments", "is not corrupted"),
        ("experiments.omission3.noises", ["powerlaw"], "figures.figO.experiments", "sagd_bandpass"),
        ("experiments.omission3.samplers", [{}, {"steps": 9}], "figures.figO.experiments", "one sampler"),
        ("experiments.omission3.strengths", [0.5, 1.0], "figures.figO.experiments", "two strengths"),
        (
            "experiments.cifar10_samplers.samplers",
            [{"method": "dpm_solver", "steps": 600}],
            "recipes.paper.sampling.steps",
            "at most 500",
        ),
        (
            "figures.figT.samplers",
            [{"method": "dpm_solver", "steps": 501}],
            "figures.figT.samplers",
            "at most 500",
        ),
        ("datasets.cifar10.size", 64, "datasets.cifar10", "32 x 32"),
        ("datasets.cifar10.size", 12, "datasets.cifar10", "size: 32, 16 or 8"),
        ("experiments.cifar10_sdm.together", "gird", "experiments.cifar10_sdm.together", "mean 'grid'"),
        ("experiments.cifar10_variants.together", "grid", "experiments.cifar10_variants.noises", "name one"),
        ("experiments.cifar10_sdm.samplers", [{"epoch": 2}], "experiments.cifar10_sdm.samplers", "snapshots"),
        ("recipes.paper.training.snapshots", [11], "recipes.paper.training", "after 11 of 10 epochs"),
        ("datasets.cifar10.channels", 1, "datasets.cifar10", "channels: 3"),
        ("datasets.cifar10.channels", 2, "datasets.cifar10.channels", "1 or 3"),
        ("datasets.mnist.channels", 3, "datasets.mnist", "set channels: 1"),
        ("datasets.mnist.sources", [{"deb": "a b"}], "datasets.mnist.sources.0.deb", "pattern"),
        (
            "datasets.mnist.sources",
            [{"deb": "ab", "file": "c"}],
            "datasets.mnist.sources.0",
            "exactly one of",
        ),
        ("datasets.mnist.sources", [{"hub": "ab/c"}], "datasets.mnist.sources.0.hub", "pattern"),
        ("datasets.cifar10.part", [0, 0.5], "datasets.cifar10", "reader: folder"),
        ("datasets.celeba64.part", [0.5, 0.1], "datasets.celeba64", "lower end first"),
        ("datasets.celeba64.part", [0, 1.5], "datasets.celeba64.part.1", "must be 1 or less"),
        ("datasets.celeba64.reader", "images", "datasets.celeba64.reader", "cifar, folder, idx"),
        ("datasets.cifar10.per_class", 0, "datasets.cifar10.per_class", "must be 1 or more"),
        ("offline", "perhaps", "offline", "true or false"),
        ("download.tries", 0, "download.tries", "must be 1 or more"),
        ("datasets.celeba64.size", 60, "recipes.paper.training.unet.channels", "use fewer levels"),
        ("recipes.paper.training.schedule.beta_end", 1e-5, "recipes.paper.training.schedule", "swap them"),
        ("recipes.paper.scoring.reference_images", 500, "recipes.paper.scoring.reference_images", "raise it"),
        ("experiments.cifar10_sdm.seed", [1], "experiments.cifar10_sdm.seed", "did you mean 'seeds'"),
        ("gpu", 2, "gpu", "unknown key; remove it or correct"),
        ("recipes.papre", {"training": {}}, "recipes.papre.training.unet", "did you mean recipes.paper?"),
        ("recipes.paper.training.epochs", True, "recipes.paper.training.epochs", "reads this as true"),
        ("recipes.paper.training.epochs", "2h", "recipes.paper.training.epochs", "without words and units"),
        ("recipes.paper.training.ema", 0.999, "recipes.paper.training.ema", "has no keys; write"),
        ("engine.checkpoint_minutes", float("inf"), "engine.checkpoint_minutes", "no finite number"),
        ("strengths.grid", [0.0, True], "strengths.grid.1", "write a number"),
        ("seeds.one", [False], "seeds.one.0", "write a number"),
        ("seeds.one", 42, "seeds.one", "is no list; write ["),
        ("seeds.one", [1, 1], "seeds.one", "1 is there twice"),
        ("seeds.one", [], "seeds.one", "is empty"),
        ("claims.evry", {"seeds": 1, "epochs": 1}, "claims.evry", "such as C1, or every"),
        ("figures.fig2a.metric", "FID", "figures.fig2a.metric", "did you mean 'fid'?"),
        ("figures.fig2a.kind", "ucurve", "figures.fig2a", "did you mean 'u_curve'?"),
        ("noises.sdm.operator", "sdn", "noises.sdm", "did you mean"),
        ("figures.mine", {"metric": "fid"}, "figures.mine", "has no 'kind'; add it"),
        ("figures.fig2aa", {"metric": "kid"}, "figures.fig2aa", "or did you mean figures.fig2a?"),
        ("seeds.one", [1234567, 1234567], "seeds.one", "1234567 is there twice"),
        ("data_dir", "results/paper/x", "data_dir", "separate them"),
        ("results", "/", "results", "no folder for outputs"),
        (
            "experiments.cifar10_sdm.samplers",
            [{}, {"precision": {"cuda": "fp16"}}],
            "experiments.cifar10_sdm.samplers",
            "remove one",
        ),
    ],
)
def test_a_bad_config_is_one_line_with_key_and_remedy(paper, path, value, key, remedy):
    with pytest.raises(ConfigError) as caught:
        parse_config(changed(paper, path, value))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"config: {key}: ")
    assert remedy in message


def test_a_missing_key_is_named(paper):
    content = copy.deepcopy(paper)
    del content["recipes"]["paper"]["training"]["epochs"]
    with pytest.raises(ConfigError, match=r"recipes.paper.training.epochs: is missing; add it"):
        parse_config(content)


def test_merge_lays_dictionaries_over_each_other_and_replaces_lists():
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 3}
    merge(base, {"a": {"c": [5]}, "e": {"f": 6}})
    assert base == {"a": {"b": 1, "c": [5]}, "d": 3, "e": {"f": 6}}


def test_every_field_is_described():
    def kinds(base):
        for kind in base.__subclasses__():
            yield kind
            yield from kinds(kind)

    for kind in kinds(Settings):
        assert kind.__doc__, kind
        undescribed = [name for name, field in kind.model_fields.items() if not field.description]
        assert not undescribed, f"{kind.__name__}: {undescribed}"


@pytest.mark.parametrize("place", ["pictures@main/a.parquet", "own/pictures/a.parquet", "own/pictures@main"])
def test_a_hub_file_names_owner_revision_and_path(place):
    with pytest.raises(ValueError, match="pattern"):
        Source(hub=place)


def test_data_sets_with_the_same_sources_share_one_download(repository):
    layout = Layout(load_config(repository / "config.yaml", repository / "demo.yaml"))
    assert layout.download("cifar10") == layout.download("cifar10_16") == "data/cifar10/download.json"
    assert layout.download("cifar100") == "data/cifar100/download.json"
    assert [file for file in layout.fetched() if "download" in file] == [layout.download("cifar10")]


def test_a_list_that_nothing_uses_and_that_looks_misspelt_is_said(paper, caplog):
    """It may be meant for later: no error."""
    parse_config(changed(paper, "strengths.gird", [0.0]))
    parse_config(changed(paper, "seeds.sevral", [1]))
    assert [record.message for record in caplog.records] == [
        "config: strengths.gird: nothing uses it; was 'grid' meant?",
        "config: seeds.sevral: nothing uses it; was 'several' meant?",
    ]


def test_figures_say_how_long_networks_were_trained(paper):
    config = parse_config(paper)
    assert config.trained_title("cifar10_sdm") == "CIFAR-10, 10 epochs"
    omission = config.figures["figO"].parameters(config)
    assert omission["dataset"] == "Fashion-MNIST, 10 epochs" and "0.04\u20130.12" in omission["bands"]
    grids = config.figures["fig3"].parameters(config)["titles"]
    assert grids == ["DDPM", "SDM, $s$ = \u22120.4"]
    together = changed(paper, "experiments.cifar10_sdm.together", "grid")
    config = parse_config(together)
    grids = config.figures["fig3"].parameters(config)["titles"]
    assert grids == ["SDM, $s$ = 0", "SDM, $s$ = \u22120.4"]


def test_figures_call_strengths_as_the_operators_do(paper):
    for name, noise in parse_config(paper).noises.items():
        if noise.operator != BASELINE:
            symbol = OPERATORS[noise.operator].strength_symbol
            assert noise_at_strength(name, 0.5).endswith(f", ${symbol}$ = 0.5")
