"""Edit one thing, rerun one thing: what Snakemake plans on a finished run after each edit."""

import ast
import os
from collections import Counter

import pytest

MODELS = 5  # DDPM, and SDM and HDM at two strengths


def points(count: int) -> Counter:
    """The jobs of so many sample sets, one of a model each."""
    return Counter(dict.fromkeys(("sample", "pictures", "features_samples", "scores", "model_card"), count))


TABLES = Counter(table=2, curves=2, table_of_all=1, claims=1)
RECIPE = Counter(hyperparameters=2)  # beside the published ones, of both experiments
SCORE_FIGURES = Counter(figure=4)  # fig2a, fig2c, fig2f and figT
RESAMPLE = points(MODELS) + TABLES + SCORE_FIGURES + Counter(figure=1, closed_form=1)  # fig3, its sharpness


def test_editing_a_plot_reruns_that_plot_alone(workspace):
    workspace.edit("src/shapednoise/figures/u_curve.py", "FEW_STRENGTHS = 9", "FEW_STRENGTHS = 10")
    assert workspace.planned() == Counter(figure=2)
    assert workspace.planned_figures() == {"fig2a", "fig2c"}
    workspace.run()  # really
    assert not workspace.planned()


def test_editing_the_script_of_the_plots_reruns_all_plots_and_nothing_else(workspace):
    workspace.edit("scripts/figure.py", ", arguments.output)", ", list(arguments.output))")
    assert workspace.planned() == Counter(figure=13)


def test_touching_reruns_nothing(workspace):
    for folder, pattern in (("src", "*.py"), ("scripts", "*.py"), ("data", "images.npy"), ("data", "*.pth")):
        for file in (workspace.path / folder).rglob(pattern):
            os.utime(file)
    assert not workspace.planned()


PROSE = {
    "noise/shape.py": [('"""', '"""Edited. ', 1)],
    "noise/reverse_step.py": [("\n\n\n", "\n\n\n# A comment.\n\n\n", -1)],
    "diffusion/training.py": [
        ("log.info(", 'log.info("and more")\n            log.info(', -1),
        ('"""', '"""New ', 1),
    ],
    "metrics/scores.py": [('"""', '"""Edited. ', 1), ("    return {", "    return {  # all of them", -1)],
    "analysis/theory.py": [('"""', '"""Edited. ', 1)],
}


def test_prose_and_formatting_rerun_nothing(workspace):
    """Docstrings, comments and log messages of the process, the trainer, the scores and the theory."""
    for file, edits in PROSE.items():
        path = workspace.path / "src/shapednoise" / file
        text = path.read_text()
        for old, new, count in edits:
            assert old in text, file
            text = text.replace(old, new, count)
        path.write_text(text)
    formatted = workspace.path / "src/shapednoise/noise/process.py"
    formatted.write_text(ast.unparse(ast.parse(formatted.read_text())))  # no comment, other line breaks
    assert not workspace.planned()


def test_an_edit_that_is_taken_back_reruns_nothing(workspace):
    workspace.edit("src/shapednoise/diffusion/training.py", "LOG_STEPS = 50", "LOG_STEPS = 51")
    assert workspace.planned()["train"] == MODELS
    workspace.edit("src/shapednoise/diffusion/training.py", "LOG_STEPS = 51", "LOG_STEPS = 50")
    assert not workspace.planned()


def test_a_new_import_of_a_reached_module_is_seen(workspace):
    extra = workspace.path / "src/shapednoise/metrics/extra.py"
    extra.write_text("VALUE = 1\n")
    assert not workspace.planned()
    scores = workspace.path / "src/shapednoise/metrics/scores.py"
    scores.write_text("import shapednoise.metrics.extra\n" + scores.read_text())
    assert workspace.planned()["scores"] == MODELS
    workspace.run("results/tiny/tables/scores.csv")
    extra.write_text("VALUE = 2\n")
    assert workspace.planned("results/tiny/tables/scores.csv") == Counter(scores=MODELS, table_of_all=1)


def test_adding_a_strength_trains_only_the_new_points(workspace):
    workspace.set("strengths.grid", [-0.4, -0.2, 0.0, 0.4])
    assert workspace.planned() == Counter(train=2) + points(2) + TABLES + SCORE_FIGURES + RECIPE


def test_removing_a_strength_trains_nothing(workspace):
    workspace.set("strengths.grid", [-0.4, 0.0])
    assert workspace.planned() == TABLES + SCORE_FIGURES + RECIPE


def test_adding_a_seed_trains_only_its_points(workspace):
    workspace.set("seeds.several", [42, 43])
    planned = workspace.planned()
    assert planned["train"] == planned["sample"] == planned["scores"] == MODELS


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("recipes.tiny.sampling.images", 14),
        ("recipes.tiny.sampling.steps", 7),
        ("recipes.tiny.sampling.reading", "equations"),
        ("recipes.tiny.sampling.clamp", "data"),
        ("recipes.tiny.sampling.precision", {"cpu": "auto"}),
    ],
)
def test_a_change_of_the_sampler_resamples_and_never_retrains(workspace, key, value):
    workspace.set(key, value)
    assert workspace.planned() == RESAMPLE + RECIPE


def test_a_change_of_the_scores_only_scores_again(workspace):
    workspace.set("recipes.tiny.scoring.kid_subsets", 6)
    scored = Counter(scores=MODELS, model_card=MODELS)
    predicted = Counter(scores_predicted=5, closed_form=1, figure=1)  # of figP
    assert workspace.planned() == scored + TABLES + SCORE_FIGURES + RECIPE + predicted


def test_editing_the_training_retrains(workspace):
    workspace.edit("src/shapednoise/diffusion/training.py", "LOG_STEPS = 50", "LOG_STEPS = 25")
    planned = workspace.planned()
    assert planned == Counter(train=MODELS) + RESAMPLE


def test_editing_a_sampler_resamples_and_never_retrains(workspace):
    workspace.edit(
        "src/shapednoise/noise/reverse_step.py", "xt = over(var_u, var_t)", "xt = 1.0 * over(var_u, var_t)"
    )
    planned = workspace.planned()
    assert planned["sample"] == planned["scores"] == MODELS
    assert planned["theory"] == 1 and {"figT", "figR"} <= workspace.planned_figures()
    assert "train" not in planned and "spectrum" not in planned


def test_editing_the_process_retrains_and_redraws_what_shows_it(workspace):
    workspace.edit("src/shapednoise/noise/bases.py", "return across * x", "return 1.0 * across * x")
    planned = workspace.planned()
    assert planned["train"] == planned["sample"] == MODELS
    assert {"fig1", "figB2", "figS2"} <= workspace.planned_figures()
    assert "pca" not in planned and "features_data" not in planned


def test_a_change_of_the_recipe_retrains(workspace):
    workspace.set("recipes.tiny.training.learning_rate", 2e-4)
    assert workspace.planned() == Counter(train=MODELS) + RESAMPLE + RECIPE


def test_a_change_of_another_recipe_reruns_nothing(workspace):
    workspace.set("recipes.paper.training.learning_rate", 2e-4)
    assert not workspace.planned()


def test_changing_a_mirror_list_reruns_nothing(workspace):
    mirror = {"url": "http://127.0.0.1:1/pictures.zip"}
    workspace.set("datasets.pictures.sources", [mirror, {"file": "pictures.zip"}])
    assert not workspace.planned()


def test_another_configuration_shares_what_was_fetched_and_leaves_the_firsts_config_alone(workspace):
    shared, config = ["data/pictures/download.json", "data/weights/random.pth"], "results/tiny/config.json"
    snapshot = (workspace.path / config).read_bytes()
    workspace.set("name", "other")
    workspace.set("results", "results/other")
    workspace.set("datasets.pictures.sources", [{"file": "pictures.zip"}, {"file": "elsewhere.zip"}])
    workspace.set("offline", True)
    assert not workspace.planned(*shared)
    (workspace.path / shared[0]).unlink()
    workspace.run(*shared)
    assert (workspace.path / shared[0]).exists()
    assert (workspace.path / config).read_bytes() == snapshot
    assert not list((workspace.path / "data").glob("*.json"))


@pytest.mark.parametrize(
    "module", ["errors.py", "config/training.py", "workflow/cli.py", "data/sources/http.py"]
)
def test_editing_messages_schemas_and_downloads_retrains_nothing(workspace, module):
    path = workspace.path / "src" / "shapednoise" / module
    path.write_text(path.read_text() + "\n# edited\n")
    planned = workspace.planned()
    assert "train" not in planned and "sample" not in planned and "scores" not in planned


def test_a_lost_figure_is_drawn_again_and_nothing_else(workspace):
    (workspace.path / "results/tiny/figures/fig2f.pdf").unlink()
    assert workspace.planned_figures() == {"fig2f"} and workspace.planned() == Counter(figure=1)


def test_a_single_figure_needs_only_its_own_points(workspace):
    workspace.set("strengths.grid", [-0.4, -0.2, 0.0, 0.4])
    assert workspace.planned("figB2") == Counter()
    assert workspace.planned("fig3") == Counter()
    assert workspace.planned("fig2a")["train"] == 1


def test_how_fast_and_how_safely_is_no_reason_to_rerun(workspace):
    workspace.set("engine", {"checkpoint_minutes": 3, "compile": "off", "points_per_gpu": 2})
    assert not workspace.planned()
