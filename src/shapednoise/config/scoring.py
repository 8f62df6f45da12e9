"""Settings of the scores: what is compared with what, and by which estimator."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from shapednoise.config.base import Seed, Settings


class ScoringSettings(Settings):
    """How a sample set is scored against its data set, and how sure the scores are (docs/scores.md)."""

    reference_images: Annotated[int, Field(ge=2)] | Literal["all"] = Field(
        "all", description="Real images to compare with: all of the training set, or a fixed random subset."
    )
    kid_subsets: int = Field(100, ge=1, le=100_000, description="Random subsets that KID averages over.")
    kid_subset_size: int = Field(1000, ge=2, le=50_000, description="Images a subset of KID.")
    is_splits: int = Field(10, ge=1, le=10_000, description="Parts that the Inception Score averages over.")
    neighbours: int = Field(3, ge=1, le=10, description="k of the k-nearest-neighbour precision and recall.")
    density_neighbours: int = Field(
        5, ge=1, le=10, description="k of density and coverage, as in their paper."
    )
    bootstrap: int = Field(
        100,
        ge=0,
        le=100_000,
        description="Random halves of the generated images, for intervals and fid_infinity: "
        "an even number from 4; 0: none.",
    )
    seed: Seed = Field(2020, description="Seed of the random subsets (torch-fidelity's default).")

    @field_validator("bootstrap")
    @classmethod
    def _is_pairs(cls, halves: int) -> int:
        if halves % 2 or (halves < 4 and halves != 0):
            raise ValueError("halves come in pairs; write an even number from 4, or 0 for no intervals")
        return halves

    def images_needed(self) -> int:
        """The least number of images, generated or real, that every score can be computed from."""
        return max(self.kid_subset_size, self.is_splits, self.neighbours + 1, self.density_neighbours + 1)

    def real_images_needed(self) -> int:
        """The least number of images that a data set must have."""
        reference = 0 if self.reference_images == "all" else self.reference_images
        return max(self.images_needed(), reference)

    def reference_slug(self) -> str:
        """The reference in file names: `all`, or the number of images."""
        return f"ref{self.reference_images}"
