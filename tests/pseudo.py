"""A language made of the first one, to see which words of the screen are not from its file, and what longer ones do."""

import json
import re
from pathlib import Path

from capsviz import texts

CODE = "xx"
OPEN, CLOSE = "⟦", "⟧"


def pseudo(text: str) -> str:
    """A text, doubled and marked; what is put into it, and its marks, stay what they are."""
    # What a term means stands apart from the text that it stands in.
    text = re.sub(r"\[\[(.+?)\|(.+?)\]\]", rf"[[\1|{OPEN}\2{CLOSE}]]", text)
    return f"{OPEN}{text} {text}{CLOSE}"


def write(folder: Path) -> Path:
    """The pseudo-language as a file of texts in ``folder``, which is returned."""
    lines = []
    for name, text in texts.texts("en").items():
        forms = {"": text} if isinstance(text, str) else {f".{form}": part for form, part in text.items()}
        key = ".".join(json.dumps(part) for part in name.split("."))
        for form, part in forms.items():
            lines.append(f"{key}{form} = {json.dumps(pseudo(part), ensure_ascii=False)}")
    (folder / f"{CODE}.toml").write_text("\n".join(lines) + "\n", "utf-8")
    return folder
