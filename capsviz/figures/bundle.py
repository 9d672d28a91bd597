"""The scripts of the live views: modules that import each other, joined into one that a page can load.

A component of the page cannot import a neighbour of its script, nor can a page that is handed out as one file. Each
module keeps a scope of its own. Known are ``import { a, b as c } from "./name.js";`` at the beginning, and ``export``
before a function, class or const of its own line.
"""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "browser"
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([a-z0-9_]+)\.js";\n', re.M)
# Nobody reads these in a browser: a script's comments on lines of their own, a style sheet's, what indents lines. Of a
# template of several lines (style sheets have such) the indentation goes too.
_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*\*[\s\S]*?\*/)\n", re.M)
_STYLE_COMMENT = re.compile(r"/\*[\s\S]*?\*/\n?")
_INDENT = re.compile(r"^[ \t]+|\n(?=\n)", re.M)
_EXPORT = re.compile(r"^export (default )?((?:async )?function\*?|class|const|let) ([A-Za-z_$][\w$]*)", re.M)


@cache
def browser_assets(script: str, *styles: str) -> tuple[str, str]:
    """JavaScript module and style sheet of a live view.

    Args:
        script: name of the module whose default export mounts the view.
        styles: names of style sheets, in their order; the base of all is put before them, presenter mode's after.

    Raises:
        ValueError: if a module imports what is not there, or one that imports it.
    """
    sheets = ("base", *styles, "onstage") if styles else ()
    style = "\n".join((FOLDER / f"{name}.css").read_text("utf-8") for name in sheets)
    return bundle(script), _INDENT.sub("", _STYLE_COMMENT.sub("", style)).lstrip()


def bundle(script: str) -> str:
    """One module with everything that ``script`` imports before it, and its exports."""
    done: dict[str, str] = {}
    exports: dict[str, dict[str, str]] = {}
    _join(script, done, exports, ())
    names = "\n".join(
        f"export default ${script}.default;"
        if name == "default"
        else f"export const {name} = ${script}.{name};"
        for name in exports[script]
    )
    return "\n".join([*done.values(), names, ""])


def modules(script: str) -> list[str]:
    """Names of ``script`` and of all that it imports, each after what it imports."""
    done: dict[str, str] = {}
    _join(script, done, {}, ())
    return list(done)


def _join(
    name: str, done: dict[str, str], exports: dict[str, dict[str, str]], before: tuple[str, ...]
) -> None:
    if name in before:
        raise ValueError(f"{name}.js imports itself, by way of {', '.join(before)}.")
    if name in done:
        return
    path = FOLDER / f"{name}.js"
    if not path.is_file():
        raise ValueError(f"{before[-1] if before else 'Somebody'} imports {name}.js, which is not there.")
    text = _INDENT.sub("", _COMMENT.sub("", path.read_text("utf-8")))
    for wanted, module in _IMPORT.findall(text):
        _join(module, done, exports, (*before, name))
        for part in _names(wanted):
            if part.partition(" as ")[0] not in exports[module]:
                raise ValueError(f"{name}.js imports {part} from {module}.js, which does not export it.")
    own = {("default" if default else word): word for default, _, word in _EXPORT.findall(text)}
    body = _EXPORT.sub(r"\2 \3", _IMPORT.sub(_constants, text))
    left = re.search(r"^(import|export)\b.*", body, re.M)
    if left:
        raise ValueError(f"{name}.js has a line that cannot be joined: {left[0]}")
    exports[name] = own
    returned = ", ".join(f"{public}: {word}" if public != word else word for public, word in own.items())
    done[name] = f"const ${name} = (() => {{\n{body.rstrip()}\nreturn {{ {returned} }};\n}})();"


def _constants(found: re.Match[str]) -> str:
    parts = ", ".join(part.replace(" as ", ": ") for part in _names(found[1]))
    return f"const {{ {parts} }} = ${found[2]};\n"


def _names(wanted: str) -> list[str]:
    return [" ".join(part.split()) for part in wanted.split(",") if part.strip()]
