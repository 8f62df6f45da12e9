"""X5: the public FIDs are ranked by what deserves it, and predicted FIDs are reported beside it."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from shapednoise.analysis.public_fids import FIDS, STEPS
from shapednoise.claims.registry import INCONCLUSIVE, NOT_REPRODUCED, REPRODUCED, all_claims
from shapednoise.config.sampling import SamplerSettings
from tests.unit.claims.synthetic import on_cifar10, together

[X5] = [claim for claim in all_claims() if claim.id == "X5"]


def public(kl_of_fid, w2_of_fid=lambda fid: -fid) -> pd.DataFrame:
    """The public FIDs with these distances."""
    return pd.DataFrame(
        SamplerSettings(method=method, variance=variance, steps=steps).in_theory()
        | {"public_fid": fid, "kl": kl_of_fid(fid), "distance": w2_of_fid(fid), "standardised": fid}
        for (method, variance), fids in FIDS.items()
        for steps, fid in zip(STEPS, fids, strict=True)
    )


@pytest.mark.parametrize(("kl", "verdict"), [
    (lambda fid: fid**2, REPRODUCED), (lambda fid: fid + 3 * np.sin(9 * fid), REPRODUCED),
    (lambda fid: -fid, NOT_REPRODUCED),
    (lambda fid: abs(fid - 8), INCONCLUSIVE),
])  # fmt: skip
def test_the_verdict_is_about_the_rank_of_kullback_leibler(kl, verdict):
    table = public(kl)
    found = X5.finding(on_cifar10("public_fids", table))
    assert found.decision.verdict == verdict
    assert found.interval.value == pytest.approx(scipy.stats.spearmanr(table.kl, table.public_fid).statistic)
    assert "squared W2 -1.00 [-1, -1]" in found.measured


def test_predicted_fids_are_reported_for_the_samplers_that_have_one():
    table = public(lambda fid: fid)
    predicted = table.head(6).assign(noise="ddpm", fid=table.public_fid)
    other = table.tail(3).assign(noise="sdm", fid=0)
    both = together(
        on_cifar10("public_fids", table), on_cifar10("predicted_fid", pd.concat([predicted, other]))
    )
    assert "predicted FID of 6 of them 1.00" in X5.finding(both).measured
    few = on_cifar10("predicted_fid", predicted.head(3))
    assert "predicted" not in X5.finding(together(on_cifar10("public_fids", table), few)).measured
