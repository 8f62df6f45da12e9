"""What is passed on names no user, no machine and no account."""

import json
import os
import subprocess
import sys
import tarfile

from shapednoise.workflow.checksums import differences, record


def test_an_archive_for_others_has_no_paths_accounts_or_owners(tmp_path, repository):
    results, home = tmp_path / "alice" / "results" / "demo", tmp_path / "alice"
    (results / "scores").mkdir(parents=True)
    (results / "logs").mkdir()
    config = {
        "name": "demo", "results": str(results), "data_dir": "data",
        "cluster": {"gpus": 1, "every_job": {"slurm_account": "secret"}},
        "datasets": {"mine": {"sources": [{"file": str(home / "pictures"), "url": None}]}},
    }  # fmt: skip
    (results / "config.json").write_text(json.dumps(config))
    (results / ".run.lock.holder").write_text('"alice on machine"')
    (results / "logs" / "train.log").write_text(str(home))
    (results / "scores" / "a.json").write_text('{"fid": 1.5}')
    record(results)

    def share() -> subprocess.CompletedProcess:
        environment = os.environ | {"PYTHONPATH": str(repository / "src"), "HOME": str(home)}
        return subprocess.run(
            [sys.executable, str(repository / "scripts" / "share.py"), str(results)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert share().returncode == 0
    with tarfile.open(f"{results}.tar") as tar:
        assert {(info.uname, info.gname, info.uid) for info in tar} == {("", "", 0)}
        assert sorted(tar.getnames()) == ["demo/SHA256SUMS", "demo/config.json", "demo/scores/a.json"]
        tar.extractall(tmp_path / "bob", filter="data")
    assert not list(differences(tmp_path / "bob" / "demo"))
    packed = json.loads((tmp_path / "bob" / "demo" / "config.json").read_text())
    assert packed["cluster"] == {} and packed["results"] == "demo"
    assert packed["datasets"]["mine"]["sources"] == [{"file": "pictures", "url": None}]
    assert (tmp_path / "bob" / "demo" / "scores" / "a.json").read_text() == '{"fid": 1.5}'
    (results / "scores" / "a.json").write_text(json.dumps({"from": str(home)}))
    assert "changed, sha256" in share().stderr
    record(results)
    assert "a.json has the path " in share().stderr
