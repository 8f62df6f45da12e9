"""Put a trained model and its card into a repository of the Hugging Face hub; without --push, list them."""

import argparse
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from shapednoise.config.training import SNAPSHOTS
from shapednoise.errors import UserError
from shapednoise.workflow.cli import run

NEEDED = (
    "model_index.json",
    "unet/diffusion_pytorch_model.safetensors",
    "provenance.json",
    "README.md",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="folder of a trained model")
    parser.add_argument("--repo", required=True, metavar="USER/NAME", help="repository on the hub")
    parser.add_argument("--push", action="store_true", help="do it; wants `hf auth login` before")
    parser.add_argument("--private", action="store_true", help="a new repository is private")
    arguments = parser.parse_args()

    if arguments.repo.count("/") != 1:
        raise UserError(f"--repo {arguments.repo}: write USER/NAME")
    folder = arguments.model
    if missing := [name for name in NEEDED if not (folder / name).is_file()]:
        raise UserError(
            f"{folder} has no {missing[0]}; give a model of a finished run, or make its card: snakemake cards"
        )
    files = sorted(file for file in folder.rglob("*") if file.is_file() and SNAPSHOTS not in file.parts)
    for file in files:
        print(f"{file.stat().st_size / 1e6:10.2f} MB  {file.relative_to(folder)}")
    if not arguments.push:
        print(f"nothing was sent; --push sends these {len(files)} files to {arguments.repo}")
        return
    api = HfApi()
    try:
        api.create_repo(arguments.repo, private=arguments.private, exist_ok=True)
        at = api.upload_folder(
            repo_id=arguments.repo, folder_path=folder, ignore_patterns=[f"{SNAPSHOTS}/*"],
            commit_message="A model of shapednoise",
        )  # fmt: skip
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise UserError(f"{arguments.repo}: {' '.join(str(error).split())[:200]}") from None
    print(at)


run(main)
