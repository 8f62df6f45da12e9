"""The papers' config, as it is read."""

import pytest
import yaml


@pytest.fixture(scope="package")
def paper(repository) -> dict:
    return yaml.safe_load((repository / "config.yaml").read_text())
