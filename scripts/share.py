"""Pack a results folder for others: no user or host names, no paths of this machine, no accounts, no logs.

The archive holds what SHA256SUMS lists, after a comparison. Of absolute paths in config.json the last part is
kept, and nothing of what this site asks of its cluster: no result depends on either, `make adopt` takes it.
"""

import argparse
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from shapednoise.errors import UserError
from shapednoise.files import atomic_path, read_json
from shapednoise.workflow.checksums import NAME, differences, recorded
from shapednoise.workflow.cli import run

TEXTS = (".json", ".csv", ".md")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="folder to pack")
    parser.add_argument("--output", type=Path, help="archive to write; RESULTS.tar where it is not given")
    arguments = parser.parse_args()
    folder, output = arguments.results, arguments.output or Path(f"{arguments.results}.tar")
    if lines := list(differences(folder)):
        raise UserError(f"{lines[0]} (and {len(lines) - 1} more); see scripts/verify.py")
    sums = recorded(folder)
    config = read_json(folder / "config.json") | {"cluster": {}}
    content = (json.dumps(without_paths(config), indent=2) + "\n").encode()
    sums["config.json"] = hashlib.sha256(content).hexdigest()
    listed = "".join(f"{sha256}  {name}\n" for name, sha256 in sums.items()).encode()
    with atomic_path(output) as temporary, tarfile.open(temporary, "w") as tar:
        for name, changed in {**dict.fromkeys(sums), "config.json": content, NAME: listed}.items():
            add(tar, folder, name, changed)
    print(f"{output}: {len(sums)} files")


def add(tar: tarfile.TarFile, folder: Path, name: str, changed: bytes | None) -> None:
    """Add a file, or other bytes in its place, as nobody's. Raises UserError for a text with our paths."""
    info = tarfile.TarInfo(f"{folder.name}/{name}")
    if changed is None and name.endswith(TEXTS):
        changed = (folder / name).read_bytes()
    for ours in {Path.home(), Path.cwd()} if changed else ():
        if len(ours.parts) > 1 and str(ours).encode() in changed:
            raise UserError(f"{folder / name} has the path {ours} in it; remove that and record it anew")
    info.size = len(changed) if changed is not None else (folder / name).stat().st_size
    with io.BytesIO(changed) if changed is not None else open(folder / name, "rb") as file:
        tar.addfile(info, file)


def without_paths(value: Any) -> Any:
    """The same, of absolute paths the last part alone."""
    if isinstance(value, dict):
        return {key: without_paths(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [without_paths(entry) for entry in value]
    return Path(value).name if isinstance(value, str) and value.startswith("/") else value


run(main)
