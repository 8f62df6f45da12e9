"""Kill a training and a sampling at random moments and compare what they end with, bit for bit.

Each job runs once undisturbed. Then it is started again and again and killed (SIGKILL, or another
signal) at random moments, until it has been killed as often as asked and has left something to continue
from; the last start runs to the end. The files must have the same sha256.

    python benchmarks/kill.py --kills 20
"""

import argparse
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from shapednoise.files import sha256_of_file, write_json

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
AXIS = [0.5580, 0.5775, 0.5960]
TRAINING = {
    "unet": {"channels": [16, 32, 64, 64], "layers_per_block": 1, "attention_levels": [4], "norm_groups": 8},
    "precision": {"cuda": "fp32", "cpu": "auto"},
    "batch_size": 16,
    "warmup_steps": 20,
    "learning_rate": 2e-3,
}
SAMPLER = {"steps": 20, "precision": {"cuda": "fp32", "cpu": "auto"}}
IMAGES = 1000


def main() -> None:
    arguments = parse()
    choose = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder)
        same = [compare(stage, arguments, folder, choose) for stage in ("train", "sample")]
    print("the same, bit for bit" if all(same) else "NOT the same")
    raise SystemExit(0 if all(same) else 1)


def compare(stage: str, arguments: argparse.Namespace, folder: Path, choose: random.Random) -> bool:
    """Run a job undisturbed and killed, print both hashes; whether they are the same."""
    seconds = run(command(stage, arguments, folder, "whole"), folder / f"{stage}.whole.log")
    log = folder / f"{stage}.killed.log"
    job = command(stage, arguments, folder, "killed")
    moments, longest = [], seconds
    while len(moments) < arguments.kills or not kept(folder):
        moments.append(choose.uniform(0.3, 0.9) * longest)
        if not killed(job, log, moments[-1], getattr(signal, arguments.signal)):
            shutil.rmtree(folder / "killed")  # it was done before: begin anew
            log.unlink()
            moments, longest = [], 0.8 * longest
    run(job, log)
    whole, once = (sha256_of_file(output(stage, folder, kind)) for kind in ("whole", "killed"))
    print(f"{stage}: {seconds:.1f} s undisturbed, then {len(moments)} x {arguments.signal}, after s:")
    print("  " + " ".join(f"{moment:.1f}" for moment in moments))
    print("  continued from: " + " ".join(continued(log)))
    print(f"  sha256 undisturbed {whole}\n  sha256 killed      {once}", flush=True)
    return whole == once and bool(continued(log))


def run(job: list[str], log: Path) -> float:
    """Run a job to its end; seconds."""
    began = time.monotonic()
    with open(log, "a") as file:
        done = subprocess.run(job, stderr=file, check=False)
    if done.returncode:
        raise SystemExit(log.read_text()[-3000:])
    return time.monotonic() - began


def killed(job: list[str], log: Path, after: float, signum: int) -> bool:
    """Start a job and end it after so many seconds; False if it was done before."""
    with open(log, "a") as file, subprocess.Popen(job, stderr=file) as running:
        try:
            code = running.wait(after)
        except subprocess.TimeoutExpired:
            running.send_signal(signum)
            code = running.wait()
    if code not in (0, -signum, 128 + signum):  # neither done nor ended by the signal
        raise SystemExit(f"exit code {code}\n{log.read_text()[-3000:]}")
    return code != 0


def kept(folder: Path) -> bool:
    """Whether the last kill left something to continue from."""
    return any(folder.glob("killed/checkpoints/[0-9]*.pt")) or any(folder.glob("killed/drawn/done.json"))


def continued(log: Path) -> list[str]:
    """The steps or images that the starts after the first continued from."""
    return re.findall(r"continuing from (?:step|image) (\d+)", log.read_text())


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="of each job")
    parser.add_argument("--signal", default="SIGKILL", choices=["SIGKILL", "SIGTERM", "SIGUSR1"])
    parser.add_argument("--steps", type=int, default=300, help="steps of the training")
    parser.add_argument("--images", type=int, default=640, help="images of the sample set")
    parser.add_argument("--checkpoint-steps", type=int, default=7, help="steps between checkpoints")
    parser.add_argument("--threads", type=int, default=2, help="processor threads")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    return parser.parse_args()


def write_data(folder: Path) -> None:
    """Random images with their manifest and colour axes."""
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, 3, 32, 32), np.uint8)
    np.save(folder / "images.npy", images)
    write_json(folder / "manifest.json", {"sha256_of_pixels": "random"})
    write_json(folder / "pca.json", {"axes": [AXIS]})


def output(stage: str, folder: Path, kind: str) -> Path:
    """The file of a job that is compared."""
    if stage == "train":
        return folder / kind / "model" / "unet" / "diffusion_pytorch_model.safetensors"
    return folder / kind / "samples.npy"


def command(stage: str, arguments: argparse.Namespace, folder: Path, kind: str) -> list[str]:
    """The command line of a job."""
    own = folder / kind
    every = arguments.checkpoint_steps if kind == "killed" else 0
    engine = json.dumps({"checkpoint_steps": every})
    common = ["--threads", str(arguments.threads), "--engine", engine]
    if stage == "train":
        epochs = arguments.steps * TRAINING["batch_size"] / IMAGES
        options = {
            "images": folder / "images.npy",
            "manifest": folder / "manifest.json",
            "pca": folder / "pca.json",
            "shape": json.dumps({"operator": "sdm", "strength": -0.4}),
            "training": json.dumps({**TRAINING, "epochs": epochs}),
            "seed": 42,
            "checkpoints": own / "checkpoints",
            "output": own / "model",
        }
    else:
        options = {
            "model": folder / "whole" / "model",
            "sampler": json.dumps({**SAMPLER, "images": arguments.images}),
            "checkpoints": own / "drawn",
            "samples": own / "samples.npy",
            "trajectory": own / "trajectory.npz",
            "provenance": own / "samples.json",
        }
    pairs = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return [sys.executable, str(SCRIPTS / f"{stage}.py"), *pairs, *common]


if __name__ == "__main__":
    main()
