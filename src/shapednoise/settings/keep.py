"""Settings of what stays on the disk when nothing in the run needs it any more."""

from pydantic import Field

from shapednoise.settings.base import Settings


class KeepSettings(Settings):
    """The large files of each point. A change reruns nothing."""

    models: bool = Field(True, description="The weights of each model.")
    samples: bool = Field(True, description="The images of each sample set, and the trajectory of the first.")
    features: bool = Field(
        True, description="The features of each sample set; those of data sets always stay."
    )
