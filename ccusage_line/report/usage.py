"""Usage by period or block and by project, as JSON data and as CSV."""

from __future__ import annotations

from ..jsontext import NO_SUMS, add_sums, short_model, string_text, sums_of
from ..session import UNNAMED_MODEL, ModelUsage, Usage, dollars

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..index.slots import Row
    from ..jsontext import Sums

    Line = Mapping[str, object]  # of a CSV file

KINDS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
SUMS = (*KINDS, "totalTokens", "totalCost")
MODEL_COLUMNS = ("model", "modelName", *SUMS)
ROW_COLUMNS = (*SUMS, "modelsUsed", "responses", "incompleteResponses", "sessions", "unpricedModels")
NO_PROJECT = "unknown"  # for responses without a working directory
_SUSPECT = ("=", "+", "-", "@", "\t")  # characters with which a spreadsheet's formula may begin


class Share(Usage):
    """The usage in one period or block, of all projects or of one."""

    __slots__ = ("key", "sessions")

    def __init__(self, key: int, rows: Iterable[Row] = ()) -> None:
        """Sum up *rows*, each of another session; *key* identifies the period or block."""
        super().__init__([])
        self.key = key
        self.sessions = 0
        for row in rows:
            self._add(row)

    def _add(self, row: Row) -> None:
        self.sessions += row.sessions
        by_name = {m.name: m for m in self.models}
        for counts in row.models:
            m = by_name.setdefault(counts.model, ModelUsage(counts.model))
            m.input += counts.input
            m.output += counts.output
            m.cache_creation += counts.cache_creation
            m.cache_read += counts.cache_read
            m.cost += counts.cost
            m.responses += counts.responses
            m.unpriced += counts.unpriced
            self.responses += counts.responses
            self.incomplete += counts.incomplete
            self.first = counts.first if self.first is None else min(self.first, counts.first)
            self.last = counts.last if self.last is None else max(self.last, counts.last)
        self.models = list(by_name.values())


def shares(rows: Iterable[Row], key_of: Callable[[int], int | None]) -> list[Share]:
    """Return the usage by period, sorted; *key_of* returns a row's key, or None to leave it out."""
    grouped: dict[int, list[Row]] = {}
    for row in rows:
        key = key_of(row.period)
        if key is not None:
            grouped.setdefault(key, []).append(row)
    return [Share(key, grouped[key]) for key in sorted(grouped)]


def by_project(rows: Iterable[Row], labels: Mapping[str, str]) -> dict[str, list[Row]]:
    """Return rows by project. *labels*: part of a path -> label of all projects with it; the longest part wins."""
    name_of = project_namer(labels)
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(name_of(row.project or NO_PROJECT), []).append(row)
    return grouped


def project_namer(labels: Mapping[str, str]) -> Callable[[str], str]:
    """Return a function from a project path to its name; *labels* as in by_project."""
    parts = sorted(labels, key=lambda part: (-len(part), part))
    return lambda path: next((labels[part] for part in parts if part in path), path)


def sort_by_cost(groups: Mapping[str, Iterable[Usage]]) -> list[str]:
    """Return the projects sorted by cost, highest first, then by name."""
    costs = {project: total(usages)[5] for project, usages in groups.items()}
    return sorted(costs, key=lambda project: (-costs[project], project))


def total(usages: Iterable[Usage]) -> Sums:
    sums = NO_SUMS
    for usage in usages:
        sums = add_sums(sums, sums_of(usage.models))
    return sums


def any_unpriced(usages: Iterable[Usage]) -> bool:
    return any(usage.has_unpriced for usage in usages)


def unpriced(usages: Iterable[Usage]) -> list[str]:
    return sorted({name for usage in usages for name in usage.unpriced_models})


# --- JSON ---------------------------------------------------------------------------------------------------------


def value_text(value: object, newline: str = "\n") -> str:
    """Return such data as JSON text; *newline* is a newline with the current indentation."""
    deeper = newline + "  "
    if isinstance(value, dict):
        items = [
            f"{string_text(key)}: {inner if type(inner) is int else value_text(inner, deeper)}"  # most are ints
            for key, inner in value.items()
        ]
        return "{" + deeper + f",{deeper}".join(items) + newline + "}" if items else "{}"
    if isinstance(value, list):
        items = [value_text(inner, deeper) for inner in value]
        return "[" + deeper + f",{deeper}".join(items) + newline + "]" if items else "[]"
    if isinstance(value, str):
        return string_text(value)
    return "null" if value is None else repr(value).lower()  # True and False; numbers have no capitals


def sums_data(sums: Sums) -> dict[str, object]:
    """Return the four kinds of tokens, their total and the cost by their keys."""
    return dict(zip(SUMS, (*sums[:5], dollars(sums[5])), strict=True))


def breakdown_data(m: ModelUsage) -> dict[str, object]:
    return {"model": short_model(m.name), "modelName": m.name, **sums_data(sums_of([m])), "cost": dollars(m.cost)}


def rows_data(shares: Iterable[Share], title: str, name_of: Callable[[int], str]) -> list[dict[str, object]]:
    """Return a row for each period, whose name is under the key *title*."""
    return [{title: name_of(share.key), **_row_data(share)} for share in shares]


def _row_data(share: Share) -> dict[str, object]:
    named = share.named_models
    return {
        **sums_data(sums_of(share.models)),
        "modelsUsed": sorted(m.name for m in named),
        "modelBreakdowns": [breakdown_data(m) for m in named],
        "responses": share.responses,
        "incompleteResponses": share.incomplete,
        "sessions": share.sessions,
        "unpricedModels": share.unpriced_models,
    }


def totals_data(usages: Sequence[Usage]) -> dict[str, object]:
    return {**sums_data(total(usages)), "unpricedModels": unpriced(usages)}


def by_project_data(rows: Mapping[str, object], groups: Mapping[str, Sequence[Usage]]) -> dict[str, object]:
    """Return the data of `--instances`: the *rows* and totals of each project, and the totals of all."""
    everything = [usage for usages in groups.values() for usage in usages]
    totals = {project: totals_data(usages) for project, usages in groups.items()}
    return {"projects": rows, "projectTotals": totals, "totals": totals_data(everything)}


# --- CSV ----------------------------------------------------------------------------------------------------------


def per_model(head: Line, usage: Usage) -> list[Line]:
    """Return a line for each model of *usage*, with the values of *head* in each."""
    return [
        {**head, **breakdown_data(m), "model": short_model(name), "modelName": name} for name, m in list_models(usage)
    ]


def list_models(usage: Usage) -> list[tuple[str, ModelUsage]]:
    """Return the models that add up to the whole, with names; last what names no model, unless it is zero."""
    nameless = [(UNNAMED_MODEL, m) for m in usage.models if not m.name and (m.total or m.cost)]
    return [*((m.name, m) for m in usage.named_models), *nameless]


def csv_text(columns: Sequence[str], lines: Iterable[Line]) -> str:
    """Return a header and *lines*, reduced to *columns* (RFC 4180)."""
    import csv
    import io

    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(line.get(column)) for column in columns] for line in lines)
    return out.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, float):
        from decimal import Decimal

        return format(Decimal(repr(value)), "f").removesuffix(".0")
    if isinstance(value, list):
        value = "; ".join(value)
    if isinstance(value, str):
        from ..text import clean

        value = clean(value)
        return f"'{value}" if value.startswith(_SUSPECT) else value
    return "" if value is None else str(value).lower()
