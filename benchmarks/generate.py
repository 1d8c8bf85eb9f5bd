"""Write a history of Claude Code transcripts to measure on, with the shapes, sizes and proportions of real ones.

    python benchmarks/generate.py OUT --mb 275 --sessions 300

OUT becomes a data directory (`CLAUDE_CONFIG_DIR=OUT`). The same seed and end give the same bytes. The right numbers of
every session are written to OUT/truth.json, beside the transcripts; they are counted while writing, so they do not
depend on how a transcript is read.

Two generations of the client are imitated: an old one (a line per content block with a growing `output_tokens`, often
no `stop_reason`) and a new one (the final usage on every line, and much that costs nothing: snapshots of the prompt,
shapes of the request). The prices of all models used are flat: no prompt is over 200,000 tokens, and no response is
fast or searches the web, so every correct tool finds the same tokens and dollars.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import re
import time
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

MB = 1_000_000
OPUS, SONNET, HAIKU = "claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001"
MODELS = (OPUS, SONNET, HAIKU)
OLD_VERSIONS = ("2.0.76", "2.1.14", "2.1.61")
NEW_VERSIONS = ("2.1.208", "2.1.237", "2.1.330")
COMPACT_AT = 160_000  # tokens of prompt at which the conversation is summarised; below every price threshold
LINES_PER_RESPONSE = ((2, 3, 4, 5), (45, 33, 15, 7))  # of responses with more than one, and their weights
TOOLS = ("Bash", "Read", "Edit", "Grep", "Write", "Glob")
_PLACES = ("api", "web", "tools", "infra", "docs", "mobile")
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DEFAULT_END = "2026-11-20T18:00:00Z"


class Shape(NamedTuple):
    """The properties of a history; shares are from 0 to 1."""

    mb: float = 275
    sessions: int = 300
    seed: int = 1
    end: float = 0.0  # the time of the last response, in seconds since the epoch
    days: int = 30  # days over which the sessions are spread
    duplicates: float = 0.6  # share of responses written as more than one line
    old: float = 0.4  # share of sessions written by an old client
    subagents: float = 0.25  # share of sessions with subagent files
    delegated: float = 0.3  # number of subagents per turn in such a session
    forks: float = 0.03  # share of sessions that begin with a copy of another one
    no_request_id: float = 0.05  # share of sessions through a gateway that sends no requestId
    big: int = 0  # responses of one session that is larger than all others; 0 for no such session
    text: float = 1.0  # length of all texts, as a multiple of the usual one


SHAPES: dict[str, dict[str, float]] = {
    "usual": {},
    "long": {"text": 12.0},  # few long lines
    "short": {"text": 0.05},  # many short lines
    "subagents": {"subagents": 1.0, "delegated": 5.0},  # most files and responses belong to subagents
}


class Truth:
    """The tokens of one session, as they must be counted."""

    __slots__ = ("cache_creation", "cache_read", "input", "output", "responses")

    def __init__(self) -> None:
        self.responses = self.input = self.output = self.cache_creation = self.cache_read = 0

    def add(self, usage: Usage) -> None:
        self.responses += 1
        self.input += usage.input
        self.output += usage.output
        self.cache_creation += usage.cache_creation
        self.cache_read += usage.cache_read

    def as_json(self) -> dict[str, int]:
        return {
            "responses": self.responses,
            "inputTokens": self.input,
            "outputTokens": self.output,
            "cacheCreationTokens": self.cache_creation,
            "cacheReadTokens": self.cache_read,
        }


class Usage(NamedTuple):
    """The final usage of one response, in tokens."""

    input: int
    output: int
    cache_creation: int
    cache_read: int
    one_hour: bool  # all its cache writes live an hour; otherwise all live five minutes


# --- text -------------------------------------------------------------------------------------------------------------

_WORDS = (
    "the a of to and in is that it for on with as this file function value test line index session cost returns when "
    "error path read write offset record total table price model response token cache byte stat answer lane lock "
    "directory project change check parse number string column request before after each only must never whole"
)
_CODE = (
    'def return if else: for import self. None True False == != -> (x) [i] {key: value} \\"name\\" \\"id\\": '
    "lambda: try: except OSError: with open(path) as class yield await async 0 1 42 += #TODO // /* */ && || const"
)
_BREAKS = ("\\n    ", "\\n        ", "\\n   12→", "\\n  345→")
_ODD = ("grüße", "世界", "naïve", "→", "“quoted”", "🦀", "\\t", "\\\\", "\\u001b[31m", "\u2028")


class Text:
    """A source of text that is already escaped for JSON, made once and cut at blanks, so that no escape is cut."""

    SIZE = 400_000

    def __init__(self, rng: random.Random) -> None:
        words, code = _WORDS.split(), _CODE.split()
        self._prose = self._pool(rng, [*words * 6, *_ODD, "\\n\\n", "\\n- "])
        self._code = self._pool(rng, [*code * 4, *words, *_BREAKS, *_ODD[:4]])

    def _pool(self, rng: random.Random, atoms: list[str]) -> str:
        pool = " ".join(rng.choices(atoms, k=self.SIZE // 4))
        return f"{pool} {pool} "

    def prose(self, rng: random.Random, size: float) -> str:
        return self._cut(rng, self._prose, int(size))

    def code(self, rng: random.Random, size: float) -> str:
        return self._cut(rng, self._code, int(size))

    def _cut(self, rng: random.Random, pool: str, size: int) -> str:
        """Return about *size* characters of *pool*, at most half of it."""
        start = pool.index(" ", rng.randrange(self.SIZE // 2)) + 1
        return pool[start : pool.index(" ", start + min(size, self.SIZE))]


# --- one transcript ---------------------------------------------------------------------------------------------------


class Transcript:
    """The lines of one file while the client would write it.

    `at` is the clock in seconds since the epoch; `prompt` is the number of tokens that the next request sends.
    """

    def __init__(
        self,
        rng: random.Random,
        text: Text,
        *,
        session: str,
        cwd: str,
        version: str,
        model: str,
        at: float,
        truth: Truth,
        agent: str = "",
        request_ids: bool = True,
        duplicates: float = 0.6,
        scale: float = 1.0,
    ) -> None:
        self.rng, self.text, self.session, self.cwd, self.version = rng, text, session, cwd, version
        self.model, self.at, self.truth, self.agent = model, at, truth, agent
        self.old = is_old(version)
        self.request_ids, self.duplicates, self.scale = request_ids, duplicates, scale
        self.one_hour = not self.old and not agent and rng.random() < 0.4
        self.prompt = rng.randrange(12_000, 22_000)
        self.parent: str | None = None
        self.lines: list[str] = []
        self.size = 0  # in characters, which is a little less than in bytes
        self._head = f',"isSidechain":true,"agentId":"{agent}"' if agent else ',"isSidechain":false'
        self._foot = (
            f'"userType":"external","entrypoint":"cli","cwd":"{cwd}","sessionId":"{session}","version":"{version}",'
            f'"gitBranch":"main"}}'
        )

    # Small pieces

    def uuid(self) -> str:
        return uuid4(self.rng)

    def prose(self, size: float) -> str:
        return self.text.prose(self.rng, size * self.scale)

    def code(self, size: float) -> str:
        return self.text.code(self.rng, size * self.scale)

    def ident(self, prefix: str) -> str:
        return prefix + "".join(self.rng.choices(ALPHABET, k=22))

    def digest(self) -> str:
        return f"{self.rng.getrandbits(256):064x}"

    def size_of(self, median: float, most: float) -> float:
        """Return a random size: most are small, a few are many times the median."""
        return min(median * self.rng.lognormvariate(0, 1.1), most)

    def stamp(self) -> str:
        return iso(self.at)

    def wait(self, seconds: float) -> None:
        self.at += self.rng.uniform(0.3, 1.7) * seconds

    # Lines

    def put(self, line: str) -> None:
        self.lines.append(line)
        self.size += len(line) + 1

    def chained(self, body: str) -> str:
        """Add a line of the conversation, with *body* between the fields that all of them have; return its uuid."""
        uuid, parent = self.uuid(), f'"{self.parent}"' if self.parent else "null"
        self.put(
            f'{{"parentUuid":{parent}{self._head},{body},"uuid":"{uuid}","timestamp":"{self.stamp()}",{self._foot}'
        )
        self.parent = uuid
        return uuid

    def bare(self, kind: str, body: str) -> None:
        self.put(f'{{"type":"{kind}",{body},"sessionId":"{self.session}"}}')

    def attachment(self, kind: str, median: float) -> None:
        size = self.size_of(median, 60_000)
        self.chained(
            f'"attachment":{{"type":"{kind}","content":["{self.prose(size)}"]}},"type":"attachment",'
            f'"rendered":[{{"content":"<system-reminder>\\n{self.prose(size / 8)}"}}]'
        )

    def opening(self) -> None:
        """Add the lines before the first prompt."""
        if self.agent:
            return
        if self.old:
            self.put(f'{{"type":"summary","summary":"{self.prose(40)}","leafUuid":"{self.uuid()}"}}')
            self.snapshot_of_files()
            return
        self.bare("mode", '"mode":"normal"')
        self.bare("permission-mode", '"permissionMode":"default"')
        for kind, median in (
            ("environment", 900),
            ("model", 250),
            ("deferred_tools_delta", 600),
            ("agent_listing_delta", 3_500),
            ("skill_listing", 11_000),
        ):
            self.attachment(kind, median)

    def snapshot_of_files(self) -> None:
        message = self.uuid()
        self.put(
            f'{{"type":"file-history-snapshot","messageId":"{message}","snapshot":{{"messageId":"{message}",'
            f'"trackedFileBackups":{{}},"timestamp":"{self.stamp()}"}},"isSnapshotUpdate":false}}'
        )

    def snapshot_of_prompt(self) -> None:
        """Add the client's own notes on what it sends: tens of kilobytes that cost nothing."""
        self.attachment("prompt_snapshot", 18_000)
        self.put(
            f'{{"type":"api-request-shape","sessionId":"{self.session}","shapeHash":"{self.digest()}",'
            f'"timestamp":"{self.stamp()}","version":"{self.version}","shape":{{"system":[{{"type":"text",'
            f'"text":"{self.prose(self.size_of(12_000, 40_000))}"}}],"tools":[{{"name":"Bash",'
            f'"description":"{self.prose(self.size_of(10_000, 40_000))}"}}]}}}}'
        )

    def request(self) -> str:
        """Add the new client's record of a request; return the id that the response refers to."""
        ref, tail = self.uuid(), self.digest()
        self.put(
            f'{{"type":"api-request-blob","sessionId":"{self.session}","hash":"{tail}","message":{{"role":"user",'
            f'"content":[{{"type":"text","text":"{self.prose(self.size_of(1_200, 30_000))}"}}]}}}}'
        )
        self.put(
            f'{{"type":"api-request","sessionId":"{self.session}","id":"{ref}","timestamp":"{self.stamp()}",'
            f'"version":"{self.version}","querySource":"repl_main_thread","shapeHash":"{self.digest()}",'
            f'"params":{{"model":"{self.model}","betas":["claude-code-20250219","interleaved-thinking-2025-05-14",'
            f'"effort-2025-11-24"],"max_tokens":64000,"thinking":{{"type":"adaptive","display":"omitted"}},'
            f'"output_config":{{"effort":"medium"}}}},"keep":{self.rng.randrange(60)},"tail":["{tail}"],'
            f'"cacheControl":[{{"path":["system",0],"value":{{"type":"ephemeral"}}}}],'
            f'"requestDigest":"{self.digest()}"}}'
        )
        return ref

    def prompt_of_user(self) -> None:
        if not self.old and not self.agent:
            self.bare("queue-operation", f'"operation":"enqueue","timestamp":"{self.stamp()}"')
            self.attachment("date", 150)
        text = self.prose(self.size_of(200, 8_000))
        self.chained(f'"promptId":"{self.uuid()}","type":"user","message":{{"role":"user","content":"{text}"}}')
        if self.old and not self.agent and self.rng.random() < 0.4:
            self.snapshot_of_files()

    def tool_result(self, tool: str, most: float) -> None:
        """Add a tool's answer, which the client writes twice in the line: for the model and for its own screen."""
        size = self.size_of(900, most / 2)
        code = self.code(size)
        self.chained(
            f'"type":"user","message":{{"role":"user","content":[{{"tool_use_id":"{tool}","type":"tool_result",'
            f'"content":"{code}","is_error":false}}]}},"toolUseResult":{{"stdout":"{code}","stderr":"",'
            f'"interrupted":false,"isImage":false}},"sourceToolAssistantUUID":"{self.parent}"'
        )

    def agent_result(self, usage: Usage) -> None:
        """Add the answer of a subagent, whose usage is that of the subagent's last message and must not be counted
        here."""
        text = self.prose(self.size_of(1_500, 9_000))
        self.chained(
            f'"type":"user","message":{{"role":"user","content":[{{"tool_use_id":"{self.ident("toolu_01")}",'
            f'"type":"tool_result","content":[{{"type":"text","text":"{text}"}}]}}]}},"toolUseResult":{{'
            f'"status":"completed","agentType":"general-purpose","totalTokens":{sum(usage[:4])},'
            f'"usage":{self.usage_json(usage, usage.output)}}}'
        )

    # Responses

    def next_usage(self) -> Usage:
        """Return the usage of the next response; the prompt grows by what the response writes to the cache."""
        if self.prompt > COMPACT_AT:
            self.compact()
        creation = min(int(self.size_of(1_300, 14_000)) + 20, 15_000)
        usage = Usage(
            input=self.rng.randrange(2, 14),
            output=int(self.size_of(380, 16_000)) + 12,
            cache_creation=creation,
            cache_read=self.prompt,
            one_hour=self.one_hour,
        )
        self.prompt += creation
        return usage

    def compact(self) -> None:
        self.chained(
            '"type":"system","subtype":"compact_boundary","content":"Conversation compacted",'
            f'"compactMetadata":{{"trigger":"auto","preTokens":{self.prompt}}}'
        )
        self.prompt = self.rng.randrange(16_000, 30_000)

    def usage_json(self, usage: Usage, output: int) -> str:
        write = usage.cache_creation
        hour, minutes = (write, 0) if usage.one_hour else (0, write)
        if self.old:
            return (
                f'{{"input_tokens":{usage.input},"cache_creation_input_tokens":{write},'
                f'"cache_read_input_tokens":{usage.cache_read},"cache_creation":{{"ephemeral_5m_input_tokens":{minutes},'
                f'"ephemeral_1h_input_tokens":{hour}}},"output_tokens":{output},"service_tier":"standard"}}'
            )
        return (
            f'{{"input_tokens":{usage.input},"cache_creation_input_tokens":{write},'
            f'"cache_read_input_tokens":{usage.cache_read},"output_tokens":{output},'
            f'"output_tokens_details":{{"thinking_tokens":0}},"server_tool_use":{{"web_search_requests":0,'
            f'"web_fetch_requests":0}},"service_tier":"standard","cache_creation":{{"ephemeral_1h_input_tokens":{hour},'
            f'"ephemeral_5m_input_tokens":{minutes}}},"inference_geo":"not_available","iterations":[],'
            f'"speed":"standard","fallback_credit":null}}'
        )

    def block(self, kind: str, most: float) -> tuple[str, str]:
        """Return one content block and, for a tool, its id."""
        if kind == "text":
            return f'{{"type":"text","text":"{self.prose(self.size_of(260, most))}"}}', ""
        if kind == "thinking":
            text = self.prose(self.size_of(450, most))
            return f'{{"type":"thinking","thinking":"{text}","signature":"{self.digest() * 6}"}}', ""
        tool = self.ident("toolu_01")
        command = self.code(self.size_of(350, most))
        name = self.rng.choice(TOOLS)
        return f'{{"type":"tool_use","id":"{tool}","name":"{name}","input":{{"command":"{command}"}}}}', tool

    def kinds_of_blocks(self, ends_turn: bool) -> list[str]:
        """Return the kinds of the content blocks of a response, one per line."""
        count = 1
        if self.rng.random() < self.duplicates:
            count = self.rng.choices(*LINES_PER_RESPONSE)[0]
        last = "text" if ends_turn else "tool_use"
        return [*("thinking", "text", "tool_use", "tool_use")[: count - 1], last]

    def response(self, *, ends_turn: bool = False, most: float = 60_000.0) -> Usage:
        """Add one API response and the results of its tools; no text in it has more than *most* characters."""
        ref = "" if self.old or self.agent else self.request()
        self.wait(4)
        usage, kinds = self.next_usage(), self.kinds_of_blocks(ends_turn)
        message, request = self.ident("msg_01"), self.ident("req_011C")
        stop = '"end_turn"' if ends_turn else '"tool_use"'
        finished = not self.old or self.rng.random() < 0.7  # whether the old client recorded the stop reason
        interleaved = self.old and self.rng.random() < 0.2
        placeholder, tools = self.rng.randrange(1, 9), []
        for n, kind in enumerate(kinds):
            block, tool = self.block(kind, most)
            final = not self.old or n == len(kinds) - 1
            written = usage.output if final else min(placeholder, usage.output)
            body = (
                f'"message":{{"id":"{message}","type":"message","role":"assistant","model":"{self.model}",'
                f'"content":[{block}],"stop_reason":{stop if final and finished else "null"},'
                f'"stop_sequence":null,"usage":{self.usage_json(usage, written)}}}'
            )
            if not self.old:
                body += f',"apiBlockIndex":{n},"requestRef":"{ref}","requestedModel":"{self.model}","effort":"medium"'
            if self.request_ids:
                body += f',"requestId":"{request}"'
            self.chained(body + ',"type":"assistant"')
            self.wait(1)
            if tool and interleaved:
                self.tool_result(tool, most)
            elif tool:
                tools.append(tool)
        for tool in tools:
            self.tool_result(tool, most)
        self.truth.add(usage)
        return usage

    def turn(self, responses: int) -> None:
        """Add a prompt of the user and the responses to it."""
        self.wait(25)
        self.prompt_of_user()
        if not self.old and self.rng.random() < 0.3:
            self.snapshot_of_prompt()
        for left in range(responses, 0, -1):
            self.response(ends_turn=left == 1)
        if self.old:
            self.chained(
                '"type":"system","subtype":"stop_hook_summary","hookCount":1,"hookInfos":[{"command":"callback"}],'
                '"hookErrors":[],"preventedContinuation":false,"stopReason":"","hasOutput":false,"level":"suggestion"'
            )
        elif not self.agent:
            self.chained('"type":"system","subtype":"turn_duration","durationMs":20415,"messageCount":12')
            self.bare("last-prompt", f'"lastPrompt":"{self.prose(80)}","leafUuid":"{self.parent}"')
            self.bare("atis-latch", '"atis":""')

    def closing(self) -> None:
        """Add what the new client writes when it ends: a title and its own total, which here is only plausible."""
        if self.old or self.agent:
            return
        self.bare("ai-title", f'"aiTitle":"{self.prose(30)}"')
        dollars = round(self.truth.output * 30e-6, 6)
        self.put(
            f'{{"type":"cost-state","sessionId":"{self.session}","totalCostUSD":{dollars!r},'
            f'"totalAPIDuration":{self.rng.randrange(10**6)},"totalLinesAdded":12,"totalLinesRemoved":3,'
            f'"totalDuration":{self.rng.randrange(10**7)},"modelUsage":{{}},"hasUnknownModelCost":false}}'
        )

    def data(self) -> bytes:
        return ("\n".join(self.lines) + "\n").encode()


def uuid4(rng: random.Random) -> str:
    bits = f"{rng.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"


GATEWAY_SESSION = "99999999-9999-4999-8999-999999999999"


def gateway_response(number: int) -> bytes:
    """Return the two lines of a response behind a gateway: no request id, always one message id, first an estimate."""
    first, second = (f"{number:08x}-000{block}-4000-8000-000000000000" for block in (1, 2))
    parent = f"{number:08x}-0000-4000-8000-000000000000"
    lines = (
        (parent, first, {"input_tokens": 1_000_000 + number, "output_tokens": 1}, None),
        (first, second, {"input_tokens": 1_000 + number, "output_tokens": 110}, "end_turn"),
    )
    return b"".join(
        json.dumps(
            {
                "parentUuid": before,
                "isSidechain": False,
                "cwd": "/home/dev/gateway",
                "sessionId": GATEWAY_SESSION,
                "type": "assistant",
                "timestamp": iso(1_790_000_000 + number),
                "uuid": uuid,
                "message": {
                    "id": "msg_1",
                    "role": "assistant",
                    "model": SONNET,
                    "content": [{"type": "text", "text": "x" * 300}],
                    "stop_reason": stop,
                    "usage": usage,
                },
            },
            separators=(",", ":"),
        ).encode()
        + b"\n"
        for before, uuid, usage, stop in lines
    )


def write_gateway(out: Path, responses: int) -> Path:
    """Write a history of one session behind such a gateway; return its transcript."""
    path = out / "projects" / munge("/home/dev/gateway") / f"{GATEWAY_SESSION}.jsonl"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.writelines(map(gateway_response, range(responses)))
    return path


def iso(at: float) -> str:
    """Return a time in seconds since the epoch as the client writes it: UTC, with milliseconds."""
    millis = int(at * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(millis // 1000)) + f".{millis % 1000:03d}Z"


def is_old(version: str) -> bool:
    """Return whether this client wrote placeholders first and the final usage last (before 2.1.97)."""
    numbers = [int(n) for n in re.findall(r"\d+", version)[:3]]
    return numbers < [2, 1, 97]


# --- a history --------------------------------------------------------------------------------------------------------


class Written(NamedTuple):
    """The facts about a session that a fork of it needs."""

    path: Path
    session: str
    cwd: str
    version: str
    end: float  # seconds since the epoch
    size: int


class History:
    """A writer of the sessions of one Shape below a data directory, with a record of their right numbers."""

    def __init__(self, out: Path, shape: Shape) -> None:
        self.out, self.shape = out, shape
        self.rng = random.Random(shape.seed)
        self.text = Text(self.rng)
        self.truth: dict[str, Truth] = {}
        self.forks: dict[str, str] = {}
        self.written: list[Written] = []
        self.bytes = 0
        self.per_response = 2_000 + 11_000 * shape.text  # bytes, roughly
        self.cwds = [f"/home/dev/work/{self.rng.choice(_PLACES)}-{n}" for n in range(max(1, shape.sessions // 12))]

    def write(self) -> None:
        total = self.shape.mb * MB
        rest = self.shape.sessions
        if self.shape.big:
            self.session(budget=0, responses=self.shape.big)
            rest -= 1
        weights = [self.rng.lognormvariate(0, 0.9) for _ in range(rest)]
        to_come = sum(weights)
        for weight in weights:
            # A session ends some kilobytes after its budget, so the rest is shared anew among the sessions that follow.
            self.session(budget=max(total - self.bytes, 0) * weight / to_come)
            to_come -= weight
        self.write_truth()

    def session(self, *, budget: float, responses: int = 0) -> None:
        """Write one session of about *budget* bytes, or of exactly *responses* responses."""
        rng, shape = self.rng, self.shape
        version = rng.choice(OLD_VERSIONS if rng.random() < shape.old else NEW_VERSIONS)
        cwd = rng.choice(self.cwds)
        seconds = (responses or budget / self.per_response) * 18.0  # roughly how long it takes on its own clock
        start = shape.end - seconds - rng.random() * max(shape.days * 86_400 - seconds, 0)
        parents = [w for w in self.written if w.size < budget] if rng.random() < shape.forks else []
        parent = rng.choice(parents) if parents else None
        if parent:
            cwd, version, start = parent.cwd, parent.version, parent.end
        session = uuid4(rng)
        truth = self.truth[session] = Truth()
        transcript = Transcript(
            rng,
            self.text,
            session=session,
            cwd=cwd,
            version=version,
            model=rng.choices((OPUS, SONNET), (3, 2))[0],
            at=start,
            truth=truth,
            request_ids=rng.random() >= shape.no_request_id,
            duplicates=shape.duplicates,
            scale=shape.text,
        )
        if parent:
            self.forks[session] = parent.session
            copy_into_fork(transcript, parent)
        else:
            transcript.opening()
        self.fill(transcript, budget, responses)
        path = self.out / "projects" / munge(cwd) / f"{session}.jsonl"
        self.save(path, transcript)
        if not responses and not parent:
            self.written.append(Written(path, session, cwd, version, transcript.at, transcript.size))

    def fill(self, transcript: Transcript, budget: float, responses: int) -> None:
        """Add turns until the budget is spent; subagents, whose files are written meanwhile, spend some of it."""
        rng = self.rng
        delegates = not responses and rng.random() < self.shape.subagents
        spent = 0
        while True:
            left = responses - transcript.truth.responses
            if responses:
                transcript.turn(min(left, rng.randrange(1, 16)))
            else:
                left = int((budget - transcript.size - spent) / self.per_response) + 1
                transcript.turn(max(1, min(left, rng.randrange(1, 16))))
            for _ in range(math.ceil(self.shape.delegated)):
                if delegates and rng.random() < self.shape.delegated:
                    spent += self.subagent(transcript)
            if (transcript.truth.responses >= responses) if responses else (transcript.size + spent >= budget):
                break
        transcript.closing()

    def subagent(self, parent: Transcript) -> int:
        """Write a subagent's file with a few responses, and its answer to the parent's; return its size."""
        rng = self.rng
        agent = f"a{rng.getrandbits(64):016x}"
        transcript = Transcript(
            rng,
            self.text,
            session=parent.session,
            cwd=parent.cwd,
            version=parent.version,
            model=rng.choice((SONNET, HAIKU)),
            at=parent.at,
            truth=parent.truth,
            agent=agent,
            request_ids=parent.request_ids,
            duplicates=parent.duplicates,
            scale=parent.scale,
        )
        transcript.prompt_of_user()
        responses = rng.randrange(2, 12)
        for left in range(responses, 0, -1):
            last = transcript.response(ends_turn=left == 1, most=20_000)
        parent.at = transcript.at
        parent.agent_result(last)
        folder = self.out / "projects" / munge(parent.cwd) / parent.session / "subagents"
        self.save(folder / f"agent-{agent}.jsonl", transcript)
        meta = {"agentType": "general-purpose", "isBuiltIn": True, "model": transcript.model, "finished": True}
        (folder / f"agent-{agent}.meta.json").write_text(json.dumps(meta, separators=(",", ":")))
        return transcript.size

    def save(self, path: Path, transcript: Transcript) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = transcript.data()
        path.write_bytes(data)
        os.utime(path, (transcript.at, transcript.at))  # as old as its last line, like a real one
        self.bytes += len(data)

    def write_truth(self) -> None:
        sessions = {session: truth.as_json() for session, truth in self.truth.items()}
        document = {"shape": self.shape._asdict(), "bytes": self.bytes, "forks": self.forks, "sessions": sessions}
        (self.out / "truth.json").write_text(json.dumps(document, indent=1))


def copy_into_fork(fork: Transcript, parent: Written) -> None:
    """Begin *fork* as --fork-session does: the parent's lines under the new id, each naming who made the request."""
    for raw in parent.path.read_bytes().split(b"\n")[:-1]:
        line = raw.decode()
        if '"uuid":' not in line:
            continue  # only lines of the conversation are copied
        line = line.replace(parent.session, fork.session)
        if '"type":"assistant"' in line:
            line = f'{line[:-1]},"requestSessionId":"{parent.session}"}}'
        fork.put(line)


def munge(cwd: str) -> str:
    """Return the name of the folder that the client makes for a working directory (here ASCII and short)."""
    return re.sub(r"[^a-zA-Z0-9]", "-", cwd)


def write_history(out: Path, shape: Shape) -> dict[str, Any]:
    """Write the history and return what truth.json holds; raise FileExistsError if the folder already has one."""
    if (out / "projects").exists():
        raise FileExistsError(f"{out}/projects exists")
    History(out, shape).write()
    truth: dict[str, Any] = json.loads((out / "truth.json").read_text())
    return truth


# --- an append --------------------------------------------------------------------------------------------------------


def append_tail(path: Path, nbytes: int, seed: int, at: float | None = None) -> dict[str, int]:
    """Append about *nbytes* of whole lines with new responses, as the client of that transcript would, in one write.

    Times start at *at* (seconds since the epoch, default now). Return the tokens that were added to its session.
    """
    rng = random.Random(seed)
    last = last_assistant_line(path)
    usage = last["message"]["usage"]
    truth = Truth()
    transcript = Transcript(
        rng,
        text_for_appends(),
        session=last["sessionId"],
        cwd=last.get("cwd", "/"),
        version=last.get("version", NEW_VERSIONS[-1]),
        model=last["message"]["model"],
        at=time.time() if at is None else at,
        truth=truth,
        agent=last.get("agentId", ""),
        request_ids="requestId" in last,
    )
    transcript.parent = last["uuid"]
    transcript.prompt = usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"]
    while transcript.size < nbytes - 4_000 or not transcript.lines:
        room = max(nbytes - transcript.size, 4_000)
        if transcript.rng.random() < 0.1:
            transcript.prompt_of_user()
        transcript.response(most=min(room / 6, 20_000))
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(fd, transcript.data())
    finally:
        os.close(fd)
    return truth.as_json()


@lru_cache(maxsize=1)
def text_for_appends() -> Text:
    return Text(random.Random(0))


def last_assistant_line(path: Path) -> dict[str, Any]:
    """Return the last response of a transcript; raise ValueError if it has none."""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - 4 * MB))
        lines = file.read().split(b"\n")
    for raw in reversed(lines):
        if b'"usage"' not in raw or not raw.startswith(b"{"):
            continue
        line: dict[str, Any] = json.loads(raw)
        if line.get("type") == "assistant":
            return line
    raise ValueError(f"no response at the end of {path}")


# --- command line -----------------------------------------------------------------------------------------------------


def seconds_of(text: str) -> float:
    """Return `now` or an ISO time as seconds since the epoch."""
    if text == "now":
        return float(int(time.time()))
    when = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()


def main() -> int:
    parser = argparse.ArgumentParser(description="Write a history of Claude Code transcripts to measure on.")
    parser.add_argument("out", type=Path, help="the data directory to make")
    parser.add_argument("--shape", choices=SHAPES, default="usual")
    shape = Shape()
    parser.add_argument("--mb", type=float, default=shape.mb, help="size of all transcripts in 10^6 bytes")
    parser.add_argument("--sessions", type=int, default=shape.sessions)
    parser.add_argument("--seed", type=int, default=shape.seed)
    parser.add_argument("--end", type=seconds_of, default=seconds_of(DEFAULT_END), help="ISO time, or now")
    parser.add_argument("--days", type=int, default=shape.days, help="days over which the sessions are spread")
    parser.add_argument("--big", type=int, default=shape.big, help="responses of one big session among them")
    for share in ("duplicates", "old", "subagents", "forks", "no_request_id"):
        parser.add_argument(f"--{share.replace('_', '-')}", type=float, default=getattr(shape, share), metavar="SHARE")
    options = vars(parser.parse_args())
    out, named = options.pop("out"), SHAPES[options.pop("shape")]
    started = time.perf_counter()
    try:
        truth = write_history(out, Shape(**{**options, **named}))
    except FileExistsError as error:
        parser.error(f"{error}; remove it or name another folder")
    responses = sum(session["responses"] for session in truth["sessions"].values())
    print(
        f"{out}: {truth['bytes'] / MB:.1f} MB, {len(truth['sessions'])} sessions, {responses} responses, "
        f"{len(truth['forks'])} forks in {time.perf_counter() - started:.1f} s"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
