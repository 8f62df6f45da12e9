"""The unconditional training loop of diffusers with shaped noise: the three marked lines are new.

    python examples/train_unconditional.py --images data/cifar10/size32/images.npy --output my-model

The rest is the loop that diffusers documents: noise, timesteps, add_noise, the network, a mean
squared error, a pipeline that is saved. Without --shape it trains a plain DDPM. Where snakemake is installed,
`snakemake --cores 2 data/cifar10/size32/images.npy` in the project's folder makes such an array.
"""

import argparse
import json
import sys

import numpy as np
import torch
from diffusers import UNet2DModel
from diffusers.optimization import get_cosine_schedule_with_warmup

from shapednoise import ShapedDDPMPipeline, ShapedDDPMScheduler

EXAMPLE = '{"operator": "sagd_powerlaw", "strength": -0.1}'


def main() -> None:
    args = parse()
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    images = load_images(args)
    dataset = torch.utils.data.TensorDataset(images)
    loader = torch.utils.data.DataLoader(dataset, args.batch_size, shuffle=True, drop_last=True)
    try:
        noise_scheduler = ShapedDDPMScheduler(shape=args.shape)  # 1, was: DDPMScheduler()
    except (TypeError, ValueError) as error:
        sys.exit(f"error: --shape: {error}")
    model = build_model(images.shape[1], images.shape[2:], args.channels).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.learning_rate)
    lr_scheduler = get_cosine_schedule_with_warmup(optimizer, args.steps // 10, args.steps)

    step = 0
    while step < args.steps:
        for (batch,) in loader:
            clean_images = batch.to(device).float() / 127.5 - 1
            noise = torch.randn_like(clean_images)
            timesteps = torch.randint(1000, (len(clean_images),), device=device)
            noise = noise_scheduler.shape_noise(noise, timesteps)  # 2, was not there
            noisy_images = noise_scheduler.add_noise(clean_images, noise, timesteps)
            loss = torch.nn.functional.mse_loss(model(noisy_images, timesteps).sample, noise)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            lr_scheduler.step()
            optimizer.zero_grad()
            step += 1
            if step == args.steps:
                break

    pipeline = ShapedDDPMPipeline(unet=model, scheduler=noise_scheduler)  # 3, was: DDPMPipeline(...)
    pipeline.save_pretrained(args.output)
    print(f"{args.output}: {step} steps, last loss {loss.item():.4f}")


def load_images(args: argparse.Namespace) -> torch.Tensor:
    """The images, uint8 (N, C, H, W), if they and the settings make a training."""
    try:
        images = np.load(args.images)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {args.images} cannot be read as an array: {error}")
    if images.dtype != np.uint8 or images.ndim != 4:
        sys.exit(
            f"error: {args.images} holds {images.dtype} {images.shape}, not uint8 N x C x H x W on 0..255; "
            "x on [-1, 1] becomes that by ((x + 1) * 127.5).round().astype(numpy.uint8)"
        )
    if not 1 <= args.batch_size <= len(images):
        sys.exit(f"error: --batch-size {args.batch_size} is outside 1..{len(images)}, the number of images")
    if args.steps < 1:
        sys.exit(f"error: --steps {args.steps} trains nothing; take 1 or more")
    factor = 2 ** (len(args.channels) - 1)
    if any(side % factor for side in images.shape[2:]):
        sys.exit(f"error: {len(args.channels)} levels need sides that {factor} divides; lessen --channels")
    return torch.from_numpy(images)


def build_model(in_channels: int, size: torch.Size, channels: list[int]) -> UNet2DModel:
    """A small UNet; group normalisation in groups of 4 channels."""
    return UNet2DModel(
        sample_size=tuple(size),
        in_channels=in_channels,
        out_channels=in_channels,
        block_out_channels=channels,
        layers_per_block=1,
        norm_num_groups=channels[0] // 4,
        down_block_types=["DownBlock2D"] * len(channels),
        up_block_types=["UpBlock2D"] * len(channels),
    )


def description(text: str) -> dict:
    """The description of a noise shape, from JSON."""
    try:
        return dict(json.loads(text))
    except (TypeError, ValueError):
        message = f"{text!r} is no description; {EXAMPLE} is one"
        raise argparse.ArgumentTypeError(message) from None


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", required=True, help="uint8 array N x C x H x W on 0..255 (.npy)")
    parser.add_argument("--output", required=True, help="folder of the pipeline")
    parser.add_argument("--shape", type=description, help=f"such as {EXAMPLE}")
    parser.add_argument("--channels", type=int, nargs="+", default=[32, 64, 64], help="of each level")
    parser.add_argument("--steps", type=int, default=1000, help="training steps")
    parser.add_argument("--batch-size", type=int, default=64, help="images a step")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="peak, of AdamW")
    parser.add_argument("--seed", type=int, default=0, help="of weights, data order and noise")
    return parser.parse_args()


if __name__ == "__main__":
    main()
