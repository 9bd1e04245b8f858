"""The house rules that no linter knows: budgets of files and functions, and docs that keep up."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "freehold"
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40

FORBIDDEN_FILE_NAMES = {"utils.py", "helpers.py", "common.py", "misc.py"}


def python_files() -> list[Path]:
    """Return every source file of the package."""
    return sorted(SOURCE.rglob("*.py"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return every function of a module, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    docstring = ast.get_docstring(function, clean=False)
    return lines - (docstring.count("\n") + 1 if docstring else 0)


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_keeps_to_its_budget(path: Path) -> None:
    text = path.read_text()
    assert path.name not in FORBIDDEN_FILE_NAMES, "name it after its subject"
    assert text.count("\n") <= MAX_FILE_LINES, (
        f"{path} has more than {MAX_FILE_LINES} lines: split it by subject"
    )
    tree = ast.parse(text)
    assert ast.get_docstring(tree), f"{path} does not say what it owns"
    for function in functions(tree):
        assert code_lines(function) <= MAX_FUNCTION_LINES, (
            f"{path}:{function.lineno} {function.name} is too long"
        )
