"""A page as a headless Chromium shows it, where there is one."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium")


def shown(page: Path, *options: str) -> tuple[str, list[str]]:
    """The page's content, and what its console says: a line an error, such as of a script's request."""
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND",
         "--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom", *options, page.as_uri()],
        cwd=page.parent, text=True, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def found(page: Path, width: int, script: str) -> tuple[Any, list[str]]:
    """What a script finds in `view`, the page at a width in pixels; what the console says and the page loads.

    The page is in a frame, because a window has 500 pixels at least.
    """
    frame = page.with_name(f"{page.stem}-{width}.html")
    frame.write_text(f"""<iframe src="{page.name}" style="width: {width}px; height: 900px"></iframe>
<output></output>
<script>
const settled = () => new Promise(done => setTimeout(done, 100));
const find = async view => {{ await settled(); {script} }};
onload = async () => {{
  const result = await find(frames[0]).catch(String);
  const loaded = frames[0].performance.getEntriesByType("resource").map(entry => entry.name);
  document.querySelector("output").textContent = JSON.stringify([result, loaded]);
}};
</script>""")
    content, said = shown(frame, "--allow-file-access-from-files", "--virtual-time-budget=60000")
    result, loaded = json.loads(unescape(re.search("<output>(.*)</output>", content, re.DOTALL)[1]))
    return result, said + loaded
