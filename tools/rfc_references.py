"""Find where the source refers to RFCs: `RFC 9051 §6.4.4` in a docstring or a comment.

A reference is told with the sentence that it stands in, the file, and the class or function around it; not
with a line, which any edit would move.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SECTIONS = r"(?:,? (?:and )?§[A-Z0-9][\w.]*\w|,? (?:and )?§\w)"
_REFERENCE = re.compile(rf"RFC (\d{{3,5}})((?:{_SECTIONS})*)")
_SECTION = re.compile(r"§(\w[\w.]*\w|\w)")
_IN_BRACKETS = re.compile(r" ?\((?:(?:see|as) )?RFC \d{3,5}[^()]*\)")
_SENTENCE_END = re.compile(r"(?<=\.)(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z`])")
LEAST_WORDS = 2
_OPENING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """One RFC's section (empty: the whole) as one place in the source speaks of it."""

    rfc: int
    section: tuple[tuple[int, str], ...]
    path: str
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class _Scope:
    name: str
    first: int
    last: int


def find_references(root: Path) -> list[Reference]:
    """Return all references in a source tree, in order of RFC and section; paths are relative to the root."""
    found = set()
    for path in sorted(root.rglob("*.py")):
        found |= set(_of_file(path.read_text(encoding="utf-8"), path.relative_to(root).as_posix()))
    return sorted(found)


def section_key(section: str) -> tuple[tuple[int, str], ...]:
    """Return what sections are sorted by: numbers as numbers, appendices after them."""
    return tuple((int(part), "") if part.isdigit() else (1_000, part) for part in section.split(".") if part)


def section_text(key: tuple[tuple[int, str], ...]) -> str:
    """Return a section as it is written."""
    return ".".join(word or str(number) for number, word in key)


def _of_file(source: str, path: str) -> Iterator[Reference]:
    tree = ast.parse(source)
    scopes = list(_scopes(tree, ""))
    for text, line in (*_strings(tree), *_comments(source)):
        name = _around(scopes, line)
        sentences = _SENTENCE_END.split(" ".join(text.split()))
        for sentence in sentences:
            for match in _REFERENCE.finditer(sentence):
                what = _plain(sentence) if _says_something(sentence) else _plain(sentences[0])
                for section in _SECTION.findall(match[2]) or [""]:
                    yield Reference(int(match[1]), section_key(section), path, name, what)


def _scopes(node: ast.AST, prefix: str) -> Iterator[_Scope]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _OPENING):
            name = prefix + child.name
            yield _Scope(name, child.lineno, child.end_lineno or child.lineno)
            yield from _scopes(child, name + ".")


def _around(scopes: list[_Scope], line: int) -> str:
    """Return the innermost name around a line; empty at the module's level."""
    inside = [scope for scope in scopes if scope.first <= line <= scope.last]
    return max(inside, key=lambda scope: scope.first).name if inside else ""


def _strings(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield docstrings, also those of constants: every string that is a statement."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            value = node.value.value
            if isinstance(value, str):
                yield value, node.lineno


def _comments(source: str) -> Iterator[tuple[str, int]]:
    """Yield comments; those on lines that follow each other are one."""
    block: list[str] = []
    first = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        text = token.string.lstrip("# ")
        if block and token.start[0] == last + 1:
            block.append(text)
        else:
            if block:
                yield " ".join(block), first
            block, first = [text], token.start[0]
        last = token.start[0]
    if block:
        yield " ".join(block), first


def _says_something(sentence: str) -> bool:
    """Tell a sentence from a bare list of references."""
    return len(_REFERENCE.sub("", sentence).split()) >= LEAST_WORDS


def _plain(sentence: str) -> str:
    """Return a sentence without its references in brackets and without its full stop."""
    plain = _IN_BRACKETS.sub("", sentence).strip().rstrip(".:;,")
    return plain.replace("|", "\\|")
