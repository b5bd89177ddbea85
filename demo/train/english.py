"""English text from Python's own documentation, split into training text and held-out topics."""

import ast
import pathlib
import pydoc_data.topics
import random
import re
import sysconfig

#: Topics nobody trains on; long ones, so that perplexity can be measured at 2048 tokens.
HELD_OUT_TOPICS = 8
HELD_OUT_SEED = 7


def _clean(text: str) -> str:
    """Drop rulers, reference marks and repeated blanks; keep paragraphs."""
    text = re.sub(r"[*=\-~^#_+`|]{3,}", " ", text)
    text = re.sub(r"[*`]+", "", text)
    text = text.encode("ascii", "ignore").decode("ascii")
    text = re.sub(r"[ \t]+", " ", text)
    return re.sub(r" ?\n\s*\n\s*", "\n\n", text).strip()


def topics() -> tuple[list[str], list[str]]:
    """Return (training topics, held-out topics), whole topics each."""
    named = sorted(pydoc_data.topics.topics.items())
    texts = [_clean(text) for _, text in named]
    long_enough = [i for i, text in enumerate(texts) if len(text) > 9000]
    held = set(random.Random(HELD_OUT_SEED).sample(long_enough, HELD_OUT_TOPICS))
    return [t for i, t in enumerate(texts) if i not in held], [t for i, t in enumerate(texts) if i in held]


def docstrings(limit_chars: int = 2_000_000) -> list[str]:
    """Docstrings of the standard library's modules, in file order, longer than a line."""
    found: list[str] = []
    total = 0
    root = pathlib.Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.glob("*.py")) + sorted(root.glob("[a-z]*/*.py")):
        if {"site-packages", "test", "tests", "idlelib", "lib2to3", "pydoc_data"} & set(path.parts):
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                text = _clean(ast.get_docstring(node) or "")
                if len(text) > 200 and ">>>" not in text:
                    found.append(text)
                    total += len(text)
        if total > limit_chars:
            break
    return found


def sentences(texts: list[str]) -> list[str]:
    """Plain English sentences of 25 to 160 characters, for filling documents."""
    found = []
    for text in texts:
        for sentence in re.split(r"(?<=[.])\s+", " ".join(text.split())):
            if 25 < len(sentence) < 160 and re.fullmatch(r"[A-Z][a-zA-Z ,'()-]+\.", sentence):
                found.append(sentence)
    return sorted(set(found))
