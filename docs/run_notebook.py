"""Run the code of a notebook and write it with its outputs, what is printed and drawn, as Markdown.

python docs/run_notebook.py docs/tutorial.ipynb build/tutorial
"""

import argparse
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt


def run(notebook: Path, folder: Path) -> dict[str, Any]:
    """Write folder/NAME.md and its pictures; return the variables that the notebook leaves."""
    folder.mkdir(parents=True, exist_ok=True)
    plt.switch_backend("agg")
    plt.close("all")  # a figure that the caller has open is not of the notebook
    variables: dict[str, Any] = {}
    parts = []
    for number, cell in enumerate(json.loads(notebook.read_text(encoding="utf-8"))["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(source, f"{notebook.name}, cell {number}", "exec"), variables)
        if printed.getvalue():
            parts.append(f"```text\n{printed.getvalue()}```")
        if plt.get_fignums():
            picture = folder / f"{notebook.stem}-{number}.png"
            plt.savefig(picture, dpi=110)
            parts.append(f"![]({picture.name})")
            plt.close("all")
    (folder / f"{notebook.stem}.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return variables


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("notebook", type=Path, help="an .ipynb file")
    parser.add_argument("folder", type=Path, help="where the Markdown and its pictures go")
    run(**vars(parser.parse_args()))
