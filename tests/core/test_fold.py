"""The fold: an answer cut into chunks, however it was cut, folds to the answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from openrouter_core import deltas, fold
from openrouter_core.fold import Fold
from openrouter_core.wire.chunk import ChatCompletionChunk, Delta, FunctionCallDelta, StreamChoice, ToolCallDelta
from openrouter_core.wire.message import FunctionCall, ToolCall
from openrouter_core.wire.response import (
    ChatCompletionResponse,
    Choice,
    Logprobs,
    ResponseMessage,
    RouterMetadata,
    TokenLogprob,
    Usage,
)

TEXT = st.text(max_size=12)
SOME = st.text(min_size=1, max_size=12)
JSON_OBJECT = st.dictionaries(TEXT, st.one_of(st.integers(), TEXT, st.lists(TEXT, max_size=2)), max_size=3)


@st.composite
def details(draw: st.DrawFn) -> list[dict[str, Any]] | None:
    """Reasoning details as models give them: no two entries with the same index and type."""
    keys = draw(
        st.lists(
            st.tuples(
                st.integers(0, 2),
                st.sampled_from(["reasoning.text", "reasoning.summary", "reasoning.encrypted"]),
            ),
            unique=True,
            max_size=4,
        )
    )
    out: list[dict[str, Any]] = []
    for index, kind in keys:
        entry: dict[str, Any] = {"type": kind, "index": index, "format": draw(st.sampled_from([None, "unknown"]))}
        match kind:
            case "reasoning.text":
                entry |= {"text": draw(TEXT), "signature": draw(SOME)}
            case "reasoning.summary":
                entry |= {"summary": draw(TEXT)}
            case _:
                entry |= {"data": draw(SOME), "id": draw(SOME)}
        out.append(entry)
    return out or None


@st.composite
def tool_calls(draw: st.DrawFn) -> list[ToolCall] | None:
    ids = draw(st.lists(SOME, unique=True, max_size=3))
    return [
        ToolCall(
            id=call_id,
            type="function",
            index=i,
            function=FunctionCall(name=draw(SOME), arguments=json.dumps(draw(JSON_OBJECT))),
        )
        for i, call_id in enumerate(ids)
    ] or None


@st.composite
def choices(draw: st.DrawFn, index: int) -> Choice:
    calls = draw(tool_calls())
    text = draw(TEXT)
    audio = {"id": "a1", "expires_at": 9, "data": draw(SOME), "transcript": draw(SOME)}
    return Choice(
        index=index,
        finish_reason=draw(st.sampled_from(["stop", "length", "tool_calls", "new_reason"])),
        native_finish_reason=draw(st.sampled_from(["end_turn", "STOP", None])),
        logprobs=draw(st.sampled_from([None, Logprobs(content=[TokenLogprob(token="a"), TokenLogprob(token="b")])])),
        message=ResponseMessage(
            role="assistant",
            content=text if text or not calls else None,
            reasoning=draw(TEXT) or None,
            refusal=draw(st.sampled_from([None, None, "I will not"])),
            reasoning_details=draw(details()),
            tool_calls=calls,
            images=draw(st.sampled_from([None, [{"type": "image_url", "image_url": {"url": "data:,x"}}] * 2])),
            annotations=draw(st.sampled_from([None, [{"type": "url_citation", "url_citation": {"url": "u"}}]])),
            audio=draw(st.sampled_from([None, audio])),
        ),
    )


@st.composite
def answers(draw: st.DrawFn) -> ChatCompletionResponse:
    """An answer as it comes without streaming."""
    return ChatCompletionResponse(
        id="gen-1",
        object="chat.completion",
        created=1,
        model="vendor/model",
        provider="Provider",
        service_tier=draw(st.sampled_from([None, "default"])),
        system_fingerprint=draw(st.sampled_from([None, "fp"])),
        openrouter_metadata=draw(st.sampled_from([None, RouterMetadata(strategy="direct")])),
        choices=[draw(choices(i)) for i in range(draw(st.integers(1, 3)))],
        usage=draw(st.sampled_from([None, Usage(prompt_tokens=3, completion_tokens=4, total_tokens=7, cost=0.0)])),
    )


def cut(draw: st.DrawFn, text: str) -> list[str]:
    """A text in pieces, some of them empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def call_deltas(draw: st.DrawFn, call: ToolCall) -> Iterator[Delta]:
    """A call as good streams bring it: id and name first, then arguments, then perhaps white space."""
    assert call.function
    head = FunctionCallDelta(name=call.function.name, arguments="")
    yield Delta(tool_calls=[ToolCallDelta(index=call.index, id=call.id, type="function", function=head)])
    repeat = draw(st.sampled_from([None, "", call.id]))
    for piece in [*cut(draw, call.function.arguments or ""), *draw(st.sampled_from([[], ["\n"], [" ", ""]]))]:
        yield Delta(
            tool_calls=[ToolCallDelta(index=call.index, id=repeat, function=FunctionCallDelta(arguments=piece))]
        )


def detail_deltas(draw: st.DrawFn, entry: dict[str, Any]) -> Iterator[Delta]:
    """An entry in pieces, its signature alone or empty at first."""
    grown = next(key for key in ("text", "summary", "data") if key in entry)
    common = {key: value for key, value in entry.items() if key not in (grown, "signature")}
    pieces: list[dict[str, Any]] = [{**common, grown: piece} for piece in cut(draw, entry[grown])]
    if "signature" in entry:
        pieces = [{**pieces[0], "signature": ""}, *pieces[1:], {**common, "signature": entry["signature"]}]
    return (Delta(reasoning_details=[piece]) for piece in pieces)


def message_deltas(draw: st.DrawFn, message: ResponseMessage) -> list[list[Delta]]:
    """For each part of a message its deltas, in order."""
    audio = message.audio or {}
    texts = cut(draw, audio.get("transcript", ""))
    return [
        [Delta(role="assistant", content=piece) for piece in cut(draw, message.text)],
        [Delta(reasoning=piece, content=None) for piece in cut(draw, message.reasoning or "")],
        [Delta(refusal=piece) for piece in cut(draw, message.refusal or "")],
        [delta for entry in message.reasoning_details or [] for delta in detail_deltas(draw, entry)],
        [delta for call in message.tool_calls or [] for delta in call_deltas(draw, call)],
        [Delta(images=[image]) for image in message.images or []],
        [Delta(annotations=message.annotations)] if message.annotations else [],
        [Delta(audio={**audio, "transcript": text, "data": audio["data"] * (not i)}) for i, text in enumerate(texts)]
        if audio
        else [],
    ]


@st.composite
def streams(draw: st.DrawFn) -> tuple[ChatCompletionResponse, list[ChatCompletionChunk]]:
    """An answer, and a stream that brings it: the parts of its choices dealt like cards, then the ends."""
    answer = draw(answers())

    def chunk(*choices: StreamChoice, usage: Usage | None = None, model: str | None = answer.model) -> Any:
        return ChatCompletionChunk(
            id=answer.id,
            object="chat.completion.chunk",
            created=answer.created,
            model=model,
            provider=answer.provider,
            choices=list(choices),
            usage=usage,
            service_tier=answer.service_tier if usage or not answer.usage else None,
            system_fingerprint=answer.system_fingerprint,
            openrouter_metadata=answer.openrouter_metadata,
        )

    piles = [
        [(choice.index, delta) for delta in deltas]
        for choice in answer.choices or []
        for deltas in message_deltas(draw, choice.message or ResponseMessage())
    ]
    out = [chunk()]
    for turn in draw(st.permutations([i for i, pile in enumerate(piles) for _ in pile])):
        index, delta = piles[turn].pop(0)
        out.append(chunk(StreamChoice(index=index, delta=delta)))
    for choice in answer.choices or []:
        tokens = (choice.logprobs and choice.logprobs.content) or []
        out += [chunk(StreamChoice(index=choice.index, logprobs=Logprobs(content=[token]))) for token in tokens]
        end: dict[str, Any] = {
            "finish_reason": choice.finish_reason,
            "native_finish_reason": choice.native_finish_reason,
        }
        out.append(chunk(StreamChoice(index=choice.index, delta=Delta(content=""), **end)))
        last: dict[str, Any] = {**end, "delta": Delta(content="", role="assistant")}
        last |= draw(st.sampled_from([{}, {"finish_reason": None, "native_finish_reason": None}]))
        out += draw(st.sampled_from([[chunk(StreamChoice(index=choice.index, **last), model="")], []]))
    if answer.usage:
        out.append(chunk(usage=answer.usage))
    return answer, out


def folds_back(case: tuple[ChatCompletionResponse, list[ChatCompletionChunk]]) -> None:
    """The property itself, so that it can be tried on planted bugs."""
    answer, chunks = case
    folded = reduce(Fold.add, chunks, Fold())
    assert folded.result() == answer
    assert folded.finished
    assert folded.error is None
    assert folded.chunks == len(chunks)


@given(streams())
def test_an_answer_in_pieces_folds_to_the_answer(
    case: tuple[ChatCompletionResponse, list[ChatCompletionChunk]],
) -> None:
    """Exists for what a stream of pieces loses: a reason, a signature, an id, a cost, the order of parts."""
    folds_back(case)


@given(streams(), st.data())
def test_a_snapshot_is_the_fold_of_what_came(
    case: tuple[ChatCompletionResponse, list[ChatCompletionChunk]], data: st.DataObject
) -> None:
    """Exists for a result that shares lists with the fold, or that changes it."""
    _, chunks = case
    seen = data.draw(st.integers(0, len(chunks)))
    folded = reduce(Fold.add, chunks[:seen], Fold())
    snapshot = folded.result()
    before = msgspec.json.encode(snapshot)
    whole = reduce(Fold.add, chunks[seen:], folded).result()
    assert msgspec.json.encode(snapshot) == before
    assert whole == reduce(Fold.add, chunks, Fold()).result()


ODD: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["type", "index", "id", "text", "data", "signature", "transcript", "url"]),
    st.none() | st.integers() | st.text(max_size=3) | st.lists(st.none(), max_size=1) | st.just({}),
    max_size=4,
)
ODD_DELTAS = st.builds(
    Delta,
    content=st.none() | TEXT,
    audio=st.none() | ODD,
    reasoning_details=st.none() | st.lists(ODD, max_size=3),
    images=st.none() | st.lists(ODD, max_size=2),
    tool_calls=st.none() | st.lists(st.builds(ToolCallDelta, index=st.none() | st.integers(-1, 2)), max_size=2),
)
ODD_CHUNKS = st.builds(
    ChatCompletionChunk,
    choices=st.none()
    | st.lists(st.builds(StreamChoice, index=st.none() | st.integers(-1, 2), delta=st.none() | ODD_DELTAS), max_size=3),
    error=st.none() | ODD,
    usage=st.none() | st.builds(Usage, cost=st.none() | st.floats(0, 1)),
)


@given(st.lists(ODD_CHUNKS, max_size=6))
def test_any_chunks_fold_to_something(chunks: list[ChatCompletionChunk]) -> None:
    """Exists for a fold that raises on what no provider should send: audio that is no base64 did."""
    folded = reduce(Fold.add, chunks, Fold())
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices or () if choice.delta)
    kept = "".join(choice.message.text for choice in folded.result().choices or () if choice.message)
    assert sorted(text) == sorted(kept)
    assert not folded.finished


def last_reason_wins(patch: pytest.MonkeyPatch) -> None:
    """Planted: the reason of the last chunk counts, also null."""
    add = fold._ChoiceFold.add

    def planted(self: fold._ChoiceFold, choice: StreamChoice) -> None:
        add(self, choice)
        self.finish_reason = choice.finish_reason

    patch.setattr(fold._ChoiceFold, "add", planted)


def merges_by_index_only(patch: pytest.MonkeyPatch) -> None:
    """Planted: a summary and an encrypted block of the same index become one entry."""
    patch.setattr(deltas, "_key", lambda piece: (repr(piece.get("index")), ""))


def loses_a_lone_signature(patch: pytest.MonkeyPatch) -> None:
    """Planted: pieces without text are skipped."""
    add = deltas.ReasoningDetails.add

    def planted(self: deltas.ReasoningDetails, piece: dict[str, Any]) -> None:
        if any(piece.get(key) for key in ("text", "summary", "data")):
            add(self, piece)

    patch.setattr(deltas.ReasoningDetails, "add", planted)


def keeps_white_space(patch: pytest.MonkeyPatch) -> None:
    """Planted: white space after a finished call is part of its arguments."""
    patch.setattr(deltas._Call, "is_complete", lambda _: False)


@pytest.mark.parametrize("plant", [last_reason_wins, merges_by_index_only, loses_a_lone_signature, keeps_white_space])
def test_the_property_bites(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    seeking = settings(
        max_examples=300, database=None, derandomize=True, report_multiple_bugs=False, phases=[Phase.generate]
    )
    with pytest.raises(AssertionError):
        seeking(given(streams())(folds_back))()


# --- what recorded streams look like, in short ------------------------------------------------------------------------


def folded(*chunks: dict[str, Any]) -> Fold:
    """The fold of chunks written as JSON."""
    return reduce(Fold.add, (msgspec.convert(chunk, ChatCompletionChunk) for chunk in chunks), Fold())


def delta(content: str | None = "", **more: Any) -> dict[str, Any]:
    """A chunk of the first choice."""
    return {"id": "gen-1", "model": "m", "choices": [{"index": 0, "delta": {"content": content, **more}}]}


def end(reason: str | None, **more: Any) -> dict[str, Any]:
    """A chunk with a finish_reason."""
    return {"id": "gen-1", "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": reason}], **more}


USAGE = {"prompt_tokens": 19, "completion_tokens": 7, "total_tokens": 26, "cost": 0.25}


@pytest.mark.parametrize("last", [end("stop", usage=USAGE), end(None, usage=USAGE), {"choices": [], "usage": USAGE}])
def test_the_three_forms_of_the_usage_chunk(last: dict[str, Any]) -> None:
    """It repeats the reason, has null there, or has no choices: the reason stays, the cost is known."""
    result = folded(delta("Olá"), delta("!"), end("stop"), last).result()
    assert (result.text, result.finish_reason, result.cost) == ("Olá!", "stop", 0.25)


def test_usage_may_come_in_parts() -> None:
    result = folded(
        delta("a"), {"usage": {"prompt_tokens": 1, "cost": 0}}, {"usage": {"completion_tokens": 2}}
    ).result()
    assert result.usage == Usage(prompt_tokens=1, completion_tokens=2, cost=0)


@pytest.mark.parametrize("name", fold._KEPT)
def test_what_one_chunk_says_of_the_answer_stays(name: str) -> None:
    """Exists for the quick way of the chunks that say the usual: what few chunks have is no part of it."""
    usual = {"id": "gen-1", "model": "m", "provider": "P", "created": 1}
    rare = {"openrouter_metadata": {"strategy": "direct"}, "created": 7}.get(name, "told")
    for more in ({}, {"user_id": "u", "service_tier": "t"}):
        later = {key: value for key, value in {**usual, **more}.items() if key != name}
        so_far = folded({**usual, name: rare}, later)
        assert msgspec.to_builtins(so_far.result())[name] == rare
        assert so_far.chunks == 2


def test_nothing_yet() -> None:
    empty = Fold()
    assert not empty.finished
    assert not empty.delivered
    assert empty.result() == ChatCompletionResponse(object="chat.completion", choices=[])


def test_content_is_null_only_where_nothing_was_said() -> None:
    """Empty content beside a tool call is null, as without streaming; an empty answer is an empty text."""
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}
    silent = folded(delta(None), end("stop")).result()
    called = folded(delta("", tool_calls=[call]), end("tool_calls")).result()
    untold = folded({"choices": [{"index": 0, "delta": {"role": "assistant"}}]}).result()
    assert silent.message
    assert called.message
    assert untold.message
    assert (silent.message.content, called.message.content, untold.message.content) == ("", None, None)


def test_what_is_not_told_yet() -> None:
    choice = folded({"choices": [{"index": 0, "delta": {"content": "a"}}]}).result().choice
    assert choice == Choice(index=0, message=ResponseMessage(role="assistant", content="a"))


def test_a_choice_without_an_index_is_the_one_in_its_place() -> None:
    two = {"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]}
    assert [choice.message and choice.message.text for choice in folded(two, two).result().choices or []] == [
        "aa",
        "bb",
    ]


@pytest.mark.parametrize(
    ("chunks", "error"),
    [
        ([{"error": {"code": 502}, "choices": []}, {"error": {"code": 1}}], {"code": 502}),
        ([delta("Partial "), end("error", error={"code": "429"})], {"code": "429"}),
        ([{"choices": [{"index": 0, "error": {"code": 7}, "finish_reason": "error"}]}] * 2, {"code": 7}),
        ([{"choices": [{"index": 0, "error": {"code": 7}}], "error": {"code": 8}}], {"code": 8}),
        ([end("length"), end(None, error={"code": 400}, usage=USAGE)], {"code": 400}),
        ([{"choices": [{"index": 0, "error": {"code": 7}}]}, {"error": {"code": 8}}], {"code": 7}),
    ],
)
def test_the_first_error_is_shown_and_not_judged(chunks: list[dict[str, Any]], error: dict[str, Any]) -> None:
    assert folded(*chunks).error == error


def test_an_error_stands_where_the_whole_answer_would_have_it() -> None:
    """A top-level error is the answer's, a choice's error is the choice's; the first counts, what came before stays."""
    top = folded(delta("Partial "), end("error", error={"code": 429}), {"error": {"code": 8}}).result()
    assert (top.error, top.text, top.finish_reason) == ({"code": 429}, "Partial ", "error")
    inner = folded({"choices": [{"index": 0, "error": {"code": 7}}]}).result()
    assert inner.error is None
    assert inner.choice
    assert inner.choice.error == {"code": 7}


def test_a_stream_with_an_unfinished_choice_is_not_finished() -> None:
    second = {"choices": [{"index": 1, "delta": {"content": "b"}}]}
    assert folded(delta("a"), end("stop")).finished
    assert not folded(delta("a"), second, end("stop")).finished
    assert not folded(delta("a")).finished


def test_whether_anything_was_delivered() -> None:
    assert not folded(delta(""), delta(None), end("stop", usage=USAGE)).delivered
    parts: list[dict[str, Any]] = [
        {"content": "a"},
        {"reasoning": "r"},
        {"reasoning_details": [{}]},
        {"tool_calls": [{}]},
    ]
    for part in parts:
        assert folded({"choices": [{"index": 0, "delta": part}]}).delivered


def test_audio_without_data_or_transcript() -> None:
    result = folded(delta(None, audio={"id": "a"}), delta(None, audio={"expires_at": 5, "id": None})).result()
    assert result.message
    assert result.message.audio == {"id": "a", "expires_at": 5}


def test_logprobs_of_refusals() -> None:
    chunk = {"choices": [{"index": 0, "logprobs": {"refusal": [{"token": "N"}]}}]}
    choice = folded(chunk, chunk).result().choice
    assert choice
    assert choice.logprobs == Logprobs(refusal=[TokenLogprob(token="N")] * 2)


def test_a_long_answer() -> None:
    """100,000 chunks: a fold that joins at each of them would copy gigabytes."""
    chunk = msgspec.convert(delta("word ", reasoning="think "), ChatCompletionChunk)
    folded = Fold()
    for _ in range(100_000):
        folded.add(chunk)
    assert len(folded.result().text) == 500_000
