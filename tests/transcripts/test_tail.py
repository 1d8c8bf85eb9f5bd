"""Files in blocks of whole lines: each line comes once, however the file was cut, without too many reads."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ccusage_line.transcripts import files as transcript
from ccusage_line.transcripts.files import Tail

LONGEST = 20  # bytes; the limit of these tests

pieces = st.lists(
    st.tuples(st.sampled_from((0, 1, 3, 9, 15, 19, 20, 21, 33, 60)), st.booleans()), max_size=10
)  # runs of bytes, and whether a newline follows


@settings(max_examples=300)
@example([(9, False), (15, False), (15, False), (15, True), (1, True), (21, True)], [], 8)
@given(pieces, st.lists(st.integers(0, 300), max_size=4), st.sampled_from((4, 8, 16)))
def test_every_line_comes_once_and_whole_unless_it_is_too_long(
    runs: list[tuple[int, bool]], cuts: list[int], block: int
) -> None:
    data = b"".join(bytes([65 + n]) * length + b"\n" * ends for n, (length, ends) in enumerate(runs))
    found: dict[int, bytes] = {}
    overlong, tail = 0, Tail(0, False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcript, "BLOCK", block)
        patch.setattr(transcript, "MAX_LINE", LONGEST)
        transcript._spare.clear()
        for end in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
            tail = Tail(tail.offset, tail.skipping)
            with tempfile.TemporaryFile() as file:
                file.write(data[:end])
                file.flush()
                for each in tail.blocks(file.fileno(), end):
                    place = each.offset
                    for line in each.data().split(b"\n")[:-1]:
                        assert place not in found
                        found[place] = line
                        place += len(line) + 1
            overlong += tail.overlong
        transcript._spare.clear()
    lines = data.split(b"\n")
    places = [sum(len(line) + 1 for line in lines[:n]) for n in range(len(lines))]
    assert found == {place: line for place, line in zip(places[:-1], lines[:-1], strict=True) if len(line) <= LONGEST}
    assert overlong == sum(len(line) > LONGEST for line in lines)
    assert tail.rest == (lines[-1] if len(lines[-1]) <= LONGEST else b"")
    assert tail.skipping == (len(lines[-1]) > LONGEST)


def test_a_small_file_makes_no_later_one_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"{}\n")
    large.write_bytes(b'{"type":"user"}\n' * 200_000)
    reads, read_into = 0, transcript.read_into

    def counted(descriptor: int, view: memoryview) -> int:
        nonlocal reads
        reads += 1
        return read_into(descriptor, view)

    monkeypatch.setattr(transcript, "read_into", counted)
    for path in (small, large):
        descriptor = os.open(path, os.O_RDONLY)
        for _ in Tail(0, False).blocks(descriptor, path.stat().st_size):
            pass
        os.close(descriptor)
    assert reads <= 2 + large.stat().st_size / transcript.BLOCK + 1
