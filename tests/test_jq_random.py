"""Expressions nobody thought of: ours and jq's answers are the same."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccusage_line import jqeval
from ccusage_line.errors import JqError
from ccusage_line.jqpath import extract, parse
from jq_oracle import jq_says, we_say

# Later versions of jq differ from 1.7 in how numbers like 1.0 or 3e-05 print once computed, and in what a minus binds.
_numbers = st.sampled_from([0, 1, 2, 3, -1, -2, 10, 0.1, 1.5, -2.5, 0.25])
_strings = st.sampled_from(["", "a", "b", "ab", "a,b", "aXb", "é", "😀z", 'q"\\', "it's", "x\ty\n"])
_keys = st.sampled_from(["a", "b", "c", "d e"])
VALUES = st.recursive(
    st.none() | st.booleans() | _numbers | _strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)

_ATOMS = (
    """
.~.~.~.a~.b~.c~."d e"~.["a"]~.a?~.a.b~.a?.b?~.[0]~.[-1]~.[1]?~.[]~.[]?~.[]~.[1:]~.[:2]~.[-2:]~.[1:3]?~..~.[0]?[]?
0~1~2~(-1)~1.5~"a"~"b,"~""~null~true~false~[]~{}~$v~$v~length~keys~values~add~any~all~min~max~sort~unique~reverse
first~last~tostring~type~not~round~floor~ceil~ascii_downcase~ascii_upcase~empty~@csv~@tsv~@json~@text~@sh~{a}~{a,"b"}
{$v}~{"d e"}~[.[]?]~select(type=="number")~select(type=="string")~range(3)~range(0,1;2)~range(4;0;-2)
""".strip()
    .replace("\n", "~")
    .split("~")
)
_ATOM = st.sampled_from(_ATOMS)
_OPERATOR = st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or", "//", ",", "|"])
_SHAPES = (
    r"""
map(#)~map_values(#)~select(#)~any(#)~all(#)~any(#;#)~all(#;#)~min_by(#)~max_by(#)~sort_by(#)~sort_by(#,#)
group_by(#)~unique_by(#)~has(#)~contains(#)~startswith(#)~endswith(#)~split(#)~join(#)~first(#)~last(#, 1)
limit(2;#)~limit(1,0;#)~range(#;3)~range(1;#)?~[#]~[#]~(#)~(#)~(#)?~(-(#))~(#)[0]~(#)[]?~(#).a~(#)[#]~(#)[#]?
(#)[(#):(#)]?~.[#]?~{a:(#)}~{a:(#),b:(#)}~{(#,"k"):(#)}~{"x\(#)":(#)}~((#) as $v | #)~((#) as [$v] | #)
((#) as {a:$v} | #)~((#) as {$a, b:[$v]} | [$a,#])~if # then # else # end~if # then # end
if # then # elif # then # else # end~"<\(#)>"~"\(#)-\(#)"~@csv "\(#)"~@json "x\(#)"~@sh "\(#)"~@tsv "\(#)|"~(#)|@text
(#|select(type=="number")|tostring|tonumber)~test(#)?~test("A";"i")~split("[,X]";null)
""".strip()
    .replace("\n", "~")
    .split("~")
)


@st.composite
def _filled(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    pieces = draw(st.sampled_from(_SHAPES)).split("#")
    return pieces[0] + "".join(draw(inner) + piece for piece in pieces[1:])


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Operators without parentheses: which binds tighter is the question."""
    return st.tuples(inner, _OPERATOR, inner).map(" ".join)


EXPRESSIONS = st.recursive(_ATOM, lambda inner: _filled(inner) | _filled(inner) | _joined(inner), max_leaves=8)

_RELAXED = settings(
    max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@_RELAXED
@given(EXPRESSIONS, VALUES)
def test_random_expressions_give_what_jq_gives(expr: str, value: Any) -> None:
    whole = f"(7 as $v | {expr}\n)"
    assert we_say(whole, value) == jq_says(whole, json.dumps(value))


_SPACE = st.sampled_from(["", "", "", " ", "\n", "\t "])
_STEPS = """.a|.b|._c1|."a"|.["a"]|["b"]|[ "d e" ]|. [0]|[0]|[-1]|[ - 2 ]|.[1]|[]|.[]|[]?|.a?|[0]?|."b"?|[01]|.and
. b|.1|..|.|?|.a.|["a|[1.5]|."a\\n"|[:1]|[1:]"""
_STEP = st.sampled_from(_STEPS.replace("\n", "|").split("|"))


@st.composite
def _paths(draw: st.DrawFn) -> str:
    start = draw(st.sampled_from(["", ".", ".", " .", "."]))
    return start + "".join(draw(_SPACE) + draw(_STEP) for _ in range(draw(st.integers(0, 4)))) + draw(_SPACE)


@_RELAXED
@given(_paths(), VALUES)
def test_a_plain_path_gives_the_same_with_and_without_the_evaluator(path: str, value: Any) -> None:
    steps = parse(path)
    if steps is None:
        return
    try:
        expected: Any = list(jqeval.run(path, value))
    except JqError as error:
        expected = str(error)
    try:
        found: Any = extract(value, steps)
    except JqError as error:
        found = str(error)
    assert found == expected


@_RELAXED
@given(_paths(), VALUES)
def test_random_paths_give_what_jq_gives(path: str, value: Any) -> None:
    if path.strip():
        assert we_say(path, value) == jq_says(path, json.dumps(value))
