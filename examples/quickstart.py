"""Draw 16 pictures at three strengths of squeezing, from the same noise, by one network for all strengths.

    python examples/quickstart.py [--output quickstart.png]

Rows, from the top: s = -0.4 (more noise along the data's colour axis), 0 (an ordinary DDPM) and 0.4 (less).
"""

import argparse
from pathlib import Path

import torch
from diffusers.utils import make_image_grid
from PIL.Image import Resampling

from shapednoise import ShapedDDPMPipeline

MODEL = Path(__file__).resolve().parents[1] / "results/reference/study/model"
STRENGTHS, COLUMNS, PIXELS = (-0.4, 0.0, 0.4), 16, 64

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", type=Path, default=MODEL, help="folder of a model of many strengths")
parser.add_argument("--output", type=Path, default=Path("quickstart.png"), help="picture to write")
arguments = parser.parse_args()

pipeline = ShapedDDPMPipeline.from_pretrained(str(arguments.model))
rows = [pipeline(COLUMNS, torch.Generator().manual_seed(0), strength=s).images for s in STRENGTHS]
pictures = [picture.resize((PIXELS, PIXELS), Resampling.NEAREST) for row in rows for picture in row]
make_image_grid(pictures, len(STRENGTHS), COLUMNS).save(arguments.output)
print(f"wrote {arguments.output}: from the top s = {', '.join(map(str, STRENGTHS))}")
