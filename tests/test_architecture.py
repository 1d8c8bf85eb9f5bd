"""The architecture: imports lead down its floors, never in a circle, and no module uses private names of another.

See docs/architecture.md. Imports inside functions and for type checkers count like any other.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT

PACKAGE = "ccusage_line"
PAGE = ROOT / "docs" / "architecture.md"
OTHERS = {  # they have no public name
    "os._exit",
    "argparse._SubParsersAction",
    "parser._option_string_actions",
    "action._choices_actions",
}

# Exceptions. These lists only shrink: an entry that is no longer needed fails.
UPWARD: set[tuple[str, str]] = set()
CIRCLES: list[set[str]] = []
PRIVATE: set[tuple[str, str]] = set()


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {_name(path): path for path in sorted((ROOT / PACKAGE).rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def imported(name: str) -> Iterator[tuple[str, str]]:
    """Yield for each import from this package the module, and the name imported from it ("" for the module itself)."""
    room = name.split(".") if MODULES[name].name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            assert all(each.name.split(".")[0] != PACKAGE for each in node.names), f"{name}: take names from modules"
        if isinstance(node, ast.ImportFrom):
            named = node.module.split(".") if node.module else []
            if not node.level and named[0] != PACKAGE:
                continue
            base = room[: len(room) + 1 - node.level] + named if node.level else named[1:]
            for each in node.names:
                whole = ".".join([*base, each.name])
                yield (whole, "") if whole in MODULES else (".".join(base) or "__init__", each.name)


IMPORTS = {name: {target for target, _ in imported(name)} for name in MODULES}


def room_of(module: str) -> str:
    return module.split(".")[0]


def floors(title: str = "## Floors") -> list[list[str]]:
    """Return the floors under a title of the page, from the lowest to the highest."""
    block = re.search(rf"^{title}\n.*?```\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [line.split() for line in reversed(block[1].splitlines())]


def private_of_others(name: str) -> Iterator[tuple[str, str]]:
    """Yield names with an underscore that this module uses and does not define."""
    tree = TREES[name]
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            own.add(node.value)  # for example names in __slots__
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            own.add(node.attr)
    for _, taken in imported(name):
        if _is_private(taken):
            yield name, taken
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and _is_private(node.attr)
            and node.attr not in own
            and ast.unparse(node) not in OTHERS
        ):
            yield name, node.attr


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def circles() -> list[set[str]]:
    """Return the circles of modules that import each other."""
    reached = {name: _reached(name) for name in MODULES}
    found: list[set[str]] = []
    for name in MODULES:
        circle = {other for other in reached[name] if name in reached[other]}
        if circle and circle not in found:
            found.append(circle)
    return found


def _reached(name: str) -> set[str]:
    found: set[str] = set()
    todo = [name]
    while todo:
        for target in IMPORTS[todo.pop()] - found:
            found.add(target)
            todo.append(target)
    return found


def test_every_room_is_on_one_floor() -> None:
    placed = [room for floor in floors() for room in floor]
    assert sorted(placed) == sorted({room_of(name) for name in MODULES})


def test_imports_lead_down_and_rooms_of_one_floor_do_not_know_each_other() -> None:
    height = {room: number for number, floor in enumerate(floors()) for room in floor}
    found = {
        (name, target)
        for name in MODULES
        for target in IMPORTS[name]
        if room_of(name) != room_of(target) and height[room_of(target)] >= height[room_of(name)]
    }
    assert found == UPWARD


def test_inside_the_index_imports_lead_down_too() -> None:
    height = {f"index.{name}": number for number, floor in enumerate(floors("### Floors of index/")) for name in floor}
    inside = {name for name in MODULES if name.startswith("index.")}
    assert height.keys() == inside
    assert {(a, b) for a in inside for b in IMPORTS[a] & inside if height[b] >= height[a]} == set()


def test_no_import_leads_back_to_where_it_began() -> None:
    assert sorted(map(sorted, circles())) == sorted(map(sorted, CIRCLES))


def test_nobody_takes_a_private_name_of_another_module() -> None:
    assert {found for name in MODULES for found in private_of_others(name)} == PRIVATE


def test_every_init_module_of_a_room_is_empty() -> None:
    """An empty file is the fastest to import, which matters here, and hides nothing."""
    assert [name for name, path in MODULES.items() if path.name == "__init__.py" and path.stat().st_size] == [
        "__init__"
    ]


@pytest.mark.parametrize("room", sorted({room_of(name) for name in MODULES if "." in name}))
def test_every_room_has_its_sentence_on_the_page(room: str) -> None:
    assert re.search(rf"^ +{room}/ +\w", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
