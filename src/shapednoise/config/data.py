"""Settings of data sets and of network weights: where they come from and what they must be."""

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shapednoise.config.base import LocalPath, Name, Seed, Settings
from shapednoise.noise.bands import reaches

# a parameter of an address that lets people in: its value is not for a file that is passed on
SECRET = re.compile(r"[?&]([\w-]*(?:token|key|secret|password|signature|sig|credential)[\w-]*)=(?!\$)", re.I)
SHA256 = r"^[0-9a-f]{64}$"
Share = Annotated[float, Field(ge=0, le=1)]
INCEPTION_LAYERS = ("64", "192", "768", "2048")
DINOV2 = tuple(f"dinov2-vit-{size}-14" for size in "sblg")
CLIP_VIT = tuple(f"clip-vit-{size}" for size in ("b-32", "b-16", "l-14", "l-14-336px"))
CLIP_RN = tuple(f"clip-rn{size}" for size in ("50", "101", "50x4", "50x16", "50x64"))
TORCHVISION = "torchvision-inception"
NETWORKS = ("inception", TORCHVISION, *DINOV2, *CLIP_VIT, *CLIP_RN)
CLASS = r"\w+(\.\w+)*:\w+"  # of a network that the user registers
Frequency = Annotated[float, Field(ge=0, le=0.7072, allow_inf_nan=False)]  # up to the corner, sqrt(1/2)


class Place(Settings):
    """Where a file can be had: exactly one of these kinds (data/sources/kinds.py fetches each of them)."""

    file: LocalPath | None = Field(
        None, description="A file or a directory of yours: an absolute path, or one below the data folder."
    )
    url: str | None = Field(
        None,
        pattern=r"^https?://[^\s@/?#]+([/?#]|$)",
        description="An address without a password, which goes into ~/.netrc; downloads resume. $NAME in "
        "it is taken from the environment when it is fetched, and written down nowhere.",
    )
    hub: str | None = Field(
        None,
        pattern=r"^\w[\w.-]*/\w[\w.-]*@[0-9a-f]{40}(/\w[\w.-]*)+$",
        description="OWNER/NAME@REVISION/PATH of a file in a data set of the Hugging Face hub; "
        "REVISION is a commit, 40 digits, since a branch may change.",
    )
    npm: str | None = Field(
        None,
        pattern=r"^(@\w[\w.-]*/)?\w[\w.-]*@\d+\.\d+\.\d+[\w.+-]*$",
        description="NAME@VERSION, by npm pack.",
    )
    pypi: str | None = Field(
        None, pattern=r"^\w[\w.-]*==\d[\w.+!]*$", description="NAME==VERSION, by pip download."
    )
    deb: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9.+-]+(=[\w.:+~-]+)?$",
        description="NAME or NAME=VERSION of a Debian package, by apt-get download; it is not installed.",
    )

    @model_validator(mode="after")
    def _is_one(self) -> "Place":
        if sum(getattr(self, kind) is not None for kind in Place.model_fields) != 1:
            raise ValueError(f"a source names exactly one of {', '.join(Place.model_fields)}")
        return self

    @property
    def kind(self) -> str:
        """The field that is set."""
        return next(kind for kind in Place.model_fields if getattr(self, kind) is not None)

    @property
    def address(self) -> str:
        """Its value."""
        return getattr(self, self.kind)

    def __str__(self) -> str:
        return f"{self.kind} {self.address}"


class Source(Place):
    """A place, how its file is verified, and how long it is waited for."""

    sha256: str | None = Field(
        None, pattern=SHA256, description="sha256 of the file, or of a directory's names and contents."
    )
    member: str | None = Field(None, description="The file wanted inside an archive (zip or wheel).")
    timeout_s: float = Field(3600, gt=0, description="Seconds after which this source is given up.")
    least_kb_per_s: float = Field(
        0,
        ge=0,
        description="Give up on a url that is slower than this after 20 s; for hosts with a substitute.",
    )
    largest_gb: float = Field(8, gt=0, description="Give up on a file that is larger, in 10^9 bytes.")

    @model_validator(mode="after")
    def _tells_no_secret(self) -> "Source":
        if found := self.url and SECRET.search(self.url):
            raise ValueError(f"{found[1]} is written out in the url; write ${found[1].upper()} for its value")
        return self


class DownloadSettings(Settings):
    """How long downloads go on; a source may have limits of its own."""

    tries: int = Field(4, ge=1, description="Tries in a row that bring nothing before a source is given up.")
    total_s: float = Field(
        7200, gt=0, description="Seconds for all sources of a data set or of weights together."
    )


class ImagesSettings(Settings):
    """What a data set's array is: how its archive is read, how many images of which size."""

    reader: Literal["cifar", "folder", "idx"] = Field(
        description="cifar: the official Python archives or the npm package's PNGs. "
        "folder: picture files of a directory, a zip or a tar, in the order of their names. "
        "idx: MNIST's format, gzipped or not, or a directory, a zip or a Debian package that holds it. "
        "All of them: a parquet file of the Hugging Face hub."
    )
    channels: Literal[1, 3] = Field(3, description="3: red, green and blue. 1: grey.")
    images: int | None = Field(
        None, ge=2, description="Training images; further ones are left out. null: as many as there are."
    )
    size: int = Field(
        ge=8,
        le=4096,
        description="Height and width in pixels. Larger pictures of a folder are resized; those of the other "
        "readers become means of blocks of pixels, after a frame of black where it does not come out even.",
    )
    crop: int | None = Field(
        None, ge=8, le=8192, description="Centre crop (pixels) before the resize to `size`."
    )
    part: tuple[Share, Share] | None = Field(
        None,
        description="a, b: only pictures whose place, a hash of the name in [0, 1), has a <= place < b.",
    )
    per_class: Annotated[int, Field(ge=1)] | tuple[Annotated[int, Field(ge=1)], ...] | None = Field(
        None,
        description="Images of every class, or of each in turn, where the archive has labels.",
    )
    sha256: str | None = Field(
        None, pattern=SHA256, description="sha256 of all pixels, images x H x W x C, where it is known."
    )

    @model_validator(mode="after")
    def _suits_the_reader(self) -> "ImagesSettings":
        if self.reader == "cifar" and (32 % self.size or self.crop or self.channels != 3):
            raise ValueError(
                "CIFAR's pictures are 32 x 32 in colour; set size: 32, 16 or 8, no crop and channels: 3"
            )
        if self.reader == "idx" and (self.channels != 1 or self.crop):
            raise ValueError(
                "pictures of the reader idx are grey and not cropped; set channels: 1 and no crop"
            )
        if self.part and (self.reader != "folder" or self.part[0] >= self.part[1]):
            raise ValueError(
                "part splits by file names; use it with reader: folder and write the lower end first"
            )
        return self

    @property
    def preprocessing_slug(self) -> str:
        """What was done to the pictures, as the name of a folder: `size32`, `crop140-size64-part0-0.9`."""
        crop = [f"crop{self.crop}"] if self.crop else []
        grey = ["grey"] if self.channels == 1 else []
        ends = [repr(end).removesuffix(".0") for end in self.part or ()]
        part = [f"part{'-'.join(ends)}"] if ends else []
        return "-".join([*crop, f"size{self.size}", *grey, *part])


class DatasetSettings(ImagesSettings):
    """A data set: its training images, and where they come from."""

    title: str = Field(description="Its name in figures.")
    licence: str = Field("", description="Under which terms it may be used; noted in the manifest.")
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
        return reaches(self.band, (size, size))


class CorruptedSettings(CorruptionSettings):
    """A data set that is another one with noise in a band: what a model is to leave out (SAGD)."""

    title: str = Field("", description="Its name in figures; left out: the clean one's, and the band.")


class NetworkSettings(Settings):
    """The network that turns images into features, and which of its layers."""

    network: str = Field(
        "inception",
        description="inception: the FID network of 2015-12-05. dinov2-vit-s-14 (b, l, g), clip-vit-b-32 "
        "(b-16, l-14, l-14-336px), clip-rn50 (101, 50x4, 50x16, 50x64): torch-fidelity's. "
        "torchvision-inception: that of ImageNet, for the published Inception Score. "
        "package.module:Class: a subclass of torch_fidelity's FeatureExtractorBase.",
    )
    layer: str | None = Field(
        None,
        coerce_numbers_to_str=True,  # 768 without quotes
        description="The layer: of inception 64, 192, 768 or 2048; the network's own for FID if none.",
    )
    batch_size: int = Field(
        32, ge=1, le=100_000, description="Images at once; features differ in the last digits by it."
    )

    @property
    def family(self) -> Literal["inception", "torchvision", "dinov2", "clip", "registered"]:
        """The kind of network, which decides where its weights come from."""
        if ":" in self.network:
            return "registered"
        name = self.network.split("-")[0]
        return "inception" if self.network == "inception" else name  # type: ignore[return-value]  # validated

    @property
    def in_hub(self) -> bool:
        """Whether the network is one that torch.hub has, or can download."""
        return self.family in ("torchvision", "dinov2", "clip")

    @model_validator(mode="after")
    def _exists(self) -> "NetworkSettings":
        if self.network not in NETWORKS and not re.fullmatch(CLASS, self.network):
            raise ValueError(
                f"there is no network {self.network!r}; known: {', '.join(NETWORKS)}, or package.module:Class"
            )
        layers = {
            "inception": INCEPTION_LAYERS,
            "torchvision": ("2048",),
            "dinov2": ("dinov2",),
            "clip": ("clip",),
        }.get(self.family)
        if layers and self.layer not in (None, *layers):
            raise ValueError(f"{self.network} has no layer {self.layer!r}; known: {', '.join(layers)}")
        return self


class ExtractorSettings(NetworkSettings):
    """A feature extractor: a network, one of its layers, and where the weights come from."""

    sources: tuple[Source, ...] = Field(
        (), description="Of the weights, tried in this order; inception needs one, dinov2 takes none."
    )

    @model_validator(mode="after")
    def _has_weights(self) -> "ExtractorSettings":
        if self.family == "inception" and not self.sources:
            raise ValueError("inception needs its weights; add sources")
        if self.family == "dinov2" and self.sources:
            raise ValueError(
                f"{self.network} takes code and weights from the folder of torch.hub; remove sources"
            )
        return self
