"""Hooks of the site (mkdocs.yml): its files lie as in the repository, so that their links hold in both."""

import re
from html import unescape
from importlib.util import find_spec
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
RUN = ROOT / "build/tutorial"  # the tutorial with its outputs, by run_notebook.py
LINK = re.compile(r"(?<=\]\()(?!\w+:)([^)#\s]+)")
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.+?)\\[)\]]</\1>', re.DOTALL)
FLAGS = re.compile(r"(?<=<code>)[^<]*--[^<]*(?=</code>)")
REPAIRS = [  # of what latex2mathml makes: the sign of a number, a bar that browsers stretch, script, gaps
    (r'</msqrt><mspace width="0.167em" />', "</msqrt>"),  # browsers leave a gap there
    (r"((?:<mrow>|(?:&#x0003D;|&#x0002C;|[(\[])</mo>))<mo>&#x02212;", r'\1<mo form="prefix">&#x02212;'),
    (r"&#x000AF;", "&#x0203E;"),
    (r'mathvariant="script">N', ">&#x1D4A9;"),
    (r"<mi>log</mi>(?=<m[is])", '<mi>log</mi><mspace width="0.167em" />'),
    (r"<mtext>\((\d+)\)</mtext>", r'<mspace width="2em" /><mtext>(\1)</mtext>'),
]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Show the README and, one after another, all files of the repository that a shown page links to."""
    for file in [file for file in files if file.src_dir == config.docs_dir]:
        files.remove(file)
    font = Path(find_spec("ziamath").origin).parent / "fonts/STIXTwoMath-Regular.ttf"
    seen = {f"docs/{path.name}": path for path in [*RUN.glob("*"), font]}
    waiting = ["README.md", "docs/api.md", "docs/iframe-worker.js", "docs/site.css", *seen]
    while waiting:
        name = waiting.pop()
        path = seen.setdefault(name, ROOT / name)
        if path.is_dir():
            name, text = f"{name}/index.md", _contents(path)
            files.append(File.generated(config, name, content=text))
        else:
            text = path.read_text(encoding="utf-8") if path.suffix == ".md" else ""
            files.append(File.generated(config, name, abs_src_path=str(path)))
        linked = {normpath(join(dirname(name), link)) for link in LINK.findall(text)} - seen.keys()
        waiting += [link for link in linked.difference(waiting) if (ROOT / link).exists()]
    return files


def _contents(folder: Path) -> str:
    """A page of the pictures and other files of a folder and those in it."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    pictures = [name for name in names if name.endswith(".png")]
    lines = [f"**{name[:-4]}**\n\n![{name[:-4]}]({name})\n" for name in pictures]
    lines += [f"- [{name}]({name})" for name in names if name not in pictures]
    return "\n".join([f"# {folder.name}\n", *lines])


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let a link to a folder lead to the page of its files, and one to the notebook to its outputs.

    What is kept of runs is left out of the search, where it would come before the pages about it.
    """
    if page.file.src_uri.startswith("results/"):
        page.meta["search"] = {"exclude": True}

    def target(link: re.Match) -> str:
        path = ROOT / dirname(page.file.src_uri) / link[0]
        return f"{link[0]}/index.md" if path.is_dir() else re.sub(r"\.ipynb$", ".md", link[0])

    return LINK.sub(target, markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Set formulas as MathML, which browsers draw without a script; keep a flag in one line."""

    def mathml(formula: re.Match) -> str:
        inline = formula[1] == "span"
        text = convert(unescape(formula[2]), display="inline" if inline else "block")
        for pattern, repaired in REPAIRS:
            text = re.sub(pattern, repaired, text)
        return text if inline else f'<div class="formula">{text}</div>'

    html = FLAGS.sub(lambda code: re.sub(r"--[\w-]+", r'<span class="flag">\g<0></span>', code[0]), html)
    return FORMULA.sub(mathml, html)
