"""The documentation as a site: built with its own pinned tools, and shown without a network."""

import subprocess
import sys

import pytest

from tests.browser import needs_chromium, shown

SHOWN = {  # of a page, what only a page that is whole has
    "index.html": "puts them into one picture",
    "docs/noise.html": "<math",
    "docs/tutorial.html": "the formula says 7.389",
    "docs/api.html": 'id="shapednoise.noise.pipeline.ShapedDDPMPipeline"',
    "docs/config.html": 'id="u_curve"',
    "results/reference/study/claims.html": "C12",
}


@needs_chromium
@pytest.mark.slow
@pytest.mark.network
def test_the_site_is_built_and_shown_without_a_request(repository):
    tools = subprocess.run(
        ["make", ".venv-docs/.ready"], cwd=repository, text=True, capture_output=True, check=False
    )
    if tools.returncode:
        pytest.skip(f"the tools of the site cannot be installed: {tools.stderr[-300:]}")
    for command in (
        [sys.executable, "docs/run_notebook.py", "docs/tutorial.ipynb", "build/tutorial"],
        [".venv-docs/bin/mkdocs", "build", "--strict"],
    ):
        done = subprocess.run(command, cwd=repository, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
    for page, text in SHOWN.items():
        content, said = shown(repository / "build" / "site" / page)
        assert said == [] and text in content, page
