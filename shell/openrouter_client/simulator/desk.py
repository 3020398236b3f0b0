"""The front desk: which answer a request gets, and what has to be remembered for the next one. No I/O, no clock.

    scripted fault -> the path -> key -> quota -> the request's own mistakes -> cache -> seeded fault -> answer

A seeded fault depends on the seed, the request's body and how often that body came before, never on the order in
which requests arrive: concurrency does not change which requests fail, and a repeated request can succeed.
"""

import math
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from openrouter_client.simulator import ask, batches, envelopes, listings, records, replies, shelf, vectors
from openrouter_client.simulator.answers import Completion, body, complete
from openrouter_client.simulator.dice import Dice, digest
from openrouter_client.simulator.faults import BrokenStream, Cut, Drip, Fault, Healthy, Lost, Refusal, Slow
from openrouter_client.simulator.loose import Json, mapping
from openrouter_client.simulator.quota import Level, Quota, Refused, take
from openrouter_client.simulator.sabotage import Scene, spoil
from openrouter_client.simulator.schemas import UnsatisfiableError
from openrouter_client.simulator.skins import CHAT, SKINS, Skin, rewritten
from openrouter_client.simulator.trouble import Chance, choose
from openrouter_client.simulator.wire import Reply, json_reply

_REMEMBERED = 100_000
_PUBLIC = ("/api/v1/models", "/api/v1/models/count", "/api/v1/providers", "/api/v1/images/models")


class Incoming(Struct, frozen=True, kw_only=True):
    """A request as it came; the names of the headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Desk:
    """Answers requests one after the other. `script` holds the faults that the next requests meet, in order."""

    def __init__(
        self,
        *,
        seed: int,
        chances: tuple[Chance, ...],
        quota: Quota | None,
        keys: tuple[str, str],
        latency: tuple[float, float],
        batch_secs: float = 0.0,
    ) -> None:
        self.script: deque[tuple[str, Fault]] = deque()
        self.cost: float = 0.0
        self._seed = seed
        self._chances = chances
        self._quota = quota
        self._level = Level()
        self._api_key, self._management_key = keys
        self._latency = latency
        self._seen: Counter[bytes] = Counter()
        self._cache: OrderedDict[bytes, Completion] = OrderedDict()
        self._generations: OrderedDict[str, Completion] = OrderedDict()
        self._looked_up: set[str] = set()
        self._batches = batches.Batches(seed, batch_secs, self._in_batch)
        self._pages: Mapping[str, Callable[[Incoming], Reply]] = {
            "/api/v1/key": self._key,
            "/api/v1/credits": self._credits,
            "/api/v1/generation": self._generation,
            "/api/v1/generation/content": self._content,
        }

    def answer(self, incoming: Incoming, now: float, wall: float) -> Reply:
        """The reply to a request; `now` is on a clock that never goes back, `wall` in seconds since 1970."""
        scripted = self.script.popleft() if self.script else None
        if incoming.path == batches.PATH or incoming.path.startswith(f"{batches.PATH}/"):
            return self._batch(incoming, scripted, wall)
        if incoming.path not in SKINS:
            page = self._page(incoming, None if scripted else (now, wall))
            return page if scripted is None else self._spoilt(scripted, page, None, wall, stream=False)
        if incoming.method != "POST":
            return envelopes.plain(405, "Method Not Allowed", headers=(("Allow", "POST"),))
        refused = None if scripted else self._refused(incoming, now, wall)
        return refused or self._chat(incoming, scripted, wall)

    def _chat(self, incoming: Incoming, scripted: tuple[str, Fault] | None, wall: float) -> Reply:
        skin = SKINS[incoming.path]
        asked = ask.read(incoming.body if skin is CHAT else rewritten(skin, incoming.body))
        if isinstance(asked, ask.Wrong):
            wrong = envelopes.plain(asked.status, asked.message, f"{asked.status} invalid")
            return wrong if scripted is None else self._spoilt(scripted, wrong, None, wall, stream=False)
        try:
            done = complete(asked, self._seed, self._nth(asked.key))
        except UnsatisfiableError as error:
            return envelopes.plain(400, f"Invalid schema: {error}", "400 invalid")
        request = digest(incoming.path, incoming.body)
        caching = incoming.headers.get("x-openrouter-cache", "").lower() == "true"
        if caching and request in self._cache and scripted is None:
            return self._hit(self._cache[request], skin, stream=asked.stream)
        name, fault = scripted or self._chance(request)
        reply = self._healthy(done, request, skin, stream=asked.stream)
        if isinstance(fault, Healthy | Slow | Drip | Cut | Lost):
            self._finished(done, request if caching else None)
        # Streams of other skins break in their own words; what else goes wrong with them is told instead of them.
        streams = asked.stream and (skin is CHAT or isinstance(fault, BrokenStream))
        spoilt = self._spoilt((name, fault), reply, done, wall, stream=streams, skin=skin)
        status = (("X-OpenRouter-Cache-Status", "MISS"),) if caching else ()
        return msgspec.structs.replace(spoilt, headers=spoilt.headers + status)

    def _batch(self, incoming: Incoming, scripted: tuple[str, Fault] | None, wall: float) -> Reply:
        """The answer of a request about batches. Only submissions meet seeded faults."""
        refused = None if scripted else self._unkeyed(incoming, "inference")
        if refused is not None:
            return refused
        seeded = incoming.method == "POST" and scripted is None
        name, fault = self._chance(digest(incoming.path, incoming.body)) if seeded else scripted or ("ok", Healthy())
        reply = self._batches.answer(
            incoming.method, incoming.path, incoming.query, body=incoming.body, fault=fault, wall=wall
        )
        return self._spoilt((name, fault), reply, None, wall, stream=False)

    def _in_batch(self, model: str, request: Mapping[str, object]) -> tuple[int, Json]:
        """The status and the body that a request in a batch gets, at half the price."""
        sent = msgspec.json.encode({**request, "model": model})
        asked = ask.read(sent)
        if isinstance(asked, ask.Wrong):
            return asked.status, {"error": {"message": asked.message, "code": asked.status}}
        try:
            done = complete(asked, self._seed, self._nth(asked.key))
        except UnsatisfiableError as error:
            return 400, {"error": {"message": f"Invalid schema: {error}", "code": 400}}
        _, fault = self._chance(digest(batches.PATH, sent))
        if isinstance(fault, Refusal):
            return fault.status, {"error": {"message": "Provider returned error", "code": fault.status}}
        half = msgspec.structs.replace(done.model, prompt=done.model.prompt / 2, completion=done.model.completion / 2)
        done = msgspec.structs.replace(done, model=half)
        self._finished(done, None)
        return 200, body(done)

    def _refused(self, incoming: Incoming, now: float, wall: float) -> Reply | None:
        """The refusal of a request for its key, its quota or its type, if there is one."""
        authorization = incoming.headers.get("authorization")
        if not authorization:
            return envelopes.plain(401, "Missing Authentication header")
        if authorization != f"Bearer {self._api_key}":
            return envelopes.plain(401, "User not found.")
        over = self._over_quota(now, wall)
        if over is not None:
            return over
        kind = incoming.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return envelopes.plain(400, f"Expected Content-Type application/json, received {kind!r}", "400 invalid")
        return None

    def _over_quota(self, now: float, wall: float) -> Reply | None:
        """The refusal of a request for which the quota has no room; otherwise the request is counted."""
        if self._quota is None:
            return None
        self._level, verdict = take(self._quota, self._level, now)
        return _over(self._quota, verdict.wait, wall) if isinstance(verdict, Refused) else None

    def _nth(self, *key: object) -> int:
        """How often this key came before; beyond 100,000 keys the count starts anew, for memory has a limit."""
        if len(self._seen) > _REMEMBERED:
            self._seen.clear()
        name = digest(*key)
        self._seen[name] += 1
        return self._seen[name] - 1

    def _chance(self, request: bytes) -> tuple[str, Fault]:
        roll = Dice(self._seed, "fault", request, self._nth("fault", request)).roll()
        chance = choose(self._chances, roll)
        return ("ok", Healthy()) if chance is None else (chance.name, chance.fault)

    def _healthy(self, done: Completion, request: bytes, skin: Skin, *, stream: bool) -> Reply:
        latency = Dice(self._seed, "latency", request, done.id).between(*self._latency)
        return replies.streamed(done, self._seed, latency, skin) if stream else replies.whole(done, latency, skin)

    def _spoilt(
        self,
        chosen: tuple[str, Fault],
        reply: Reply,
        done: Completion | None,
        wall: float,
        *,
        stream: bool,
        skin: Skin = CHAT,
    ) -> Reply:
        name, fault = chosen
        spoilt = spoil(fault, Scene(reply=reply, done=done, skin=skin, stream=stream, seed=self._seed, wall=wall))
        return spoilt if isinstance(fault, Healthy) else msgspec.structs.replace(spoilt, kind=name)

    def _finished(self, done: Completion, cached_as: bytes | None) -> None:
        self._generations[done.id] = done
        self.cost += done.cost
        if cached_as is not None:
            self._cache[cached_as] = done
        for memory in (self._generations, self._cache):
            if len(memory) > _REMEMBERED:
                memory.popitem(last=False)

    def _hit(self, done: Completion, skin: Skin, *, stream: bool) -> Reply:
        """A finished answer again, at no cost (OpenRouter docs, features/response-caching)."""
        free = msgspec.structs.replace(done, model=msgspec.structs.replace(done.model, prompt=0, completion=0))
        reply = replies.streamed(free, self._seed, 0.0, skin) if stream else replies.whole(free, 0.0, skin)
        status = (("X-OpenRouter-Cache-Status", "HIT"), ("X-OpenRouter-Cache-Source-Id", done.id))
        return msgspec.structs.replace(reply, kind="cache hit", headers=reply.headers + status)

    def _page(self, incoming: Incoming, at: tuple[float, float] | None) -> Reply:
        """The answer of a path that asks no model; `at` is the time on both clocks, None if a scripted fault comes."""
        own = self._pages.get(incoming.path)
        listed = None if own else listings.listing(incoming.path, incoming.query)
        if own is not None or listed is not None:
            served = None
            if incoming.method != "GET":
                return envelopes.plain(405, "Method Not Allowed", headers=(("Allow", "GET"),))
        else:
            served = shelf.find(incoming.method, incoming.path)
            if served is None:
                return shelf.not_allowed(incoming.path) or envelopes.plain(404, "Not Found")
        refused = self._unkeyed(incoming, "inference" if served is None else served.key)
        if refused is not None:
            return refused
        if incoming.path == "/api/v1/embeddings":
            return self._embeddings(incoming, at)
        return listed or (
            own(incoming) if own else shelf.answered(served) if served else envelopes.plain(404, "Not Found")
        )

    def _unkeyed(self, incoming: Incoming, wanted: str) -> Reply | None:
        """The refusal of a request without the key that it wants. Either key may ask about keys and credits."""
        given = incoming.headers.get("authorization", "")
        manages = given == f"Bearer {self._management_key}"
        if wanted == "none" or incoming.path in _PUBLIC or (incoming.path in self._pages and manages):
            return None
        if wanted == "management" and given == f"Bearer {self._api_key}":
            return envelopes.plain(401, "Invalid management key")
        good = manages if wanted == "management" else given == f"Bearer {self._api_key}"
        return None if good else envelopes.plain(401, "No auth credentials found")

    def _embeddings(self, incoming: Incoming, at: tuple[float, float] | None) -> Reply:
        over = None if at is None else self._over_quota(*at)
        if over is not None:
            return over
        try:
            fields = mapping(msgspec.json.decode(incoming.body))
        except msgspec.DecodeError:
            return envelopes.plain(400, "Invalid JSON in request body", "400 invalid")
        reply, cost = vectors.embedded(fields, self._seed)
        if at is None or not cost:
            return reply
        name, fault = self._chance(digest(incoming.path, incoming.body))
        if isinstance(fault, Healthy | Slow | Drip | Cut | Lost):
            self.cost += cost
        return self._spoilt((name, fault), reply, None, at[1], stream=False)

    def _key(self, incoming: Incoming) -> Reply:
        del incoming
        return json_reply("ok", 200, {"data": records.key(self._api_key, self.cost)})

    def _credits(self, incoming: Incoming) -> Reply:
        del incoming
        return json_reply("ok", 200, {"data": {"total_credits": 100, "total_usage": self.cost}})

    def _content(self, incoming: Incoming) -> Reply:
        """What a generation answered, and nothing of those that never were; of what was asked nothing is kept."""
        name = incoming.query.get("id", "")
        done = self._generations.get(name)
        served = shelf.find(incoming.method, incoming.path)
        if done is None and served is not None:
            return shelf.answered(served)
        completion = None if done is None else done.content
        return json_reply("ok", 200, {"data": {"input": None, "output": {"completion": completion}}})

    def _generation(self, incoming: Incoming) -> Reply:
        """The record of a generation; the first look comes too early, as it does with OpenRouter."""
        name = incoming.query.get("id", "")
        done = self._generations.get(name)
        if done is None or name not in self._looked_up:
            self._looked_up.add(name)
            return envelopes.plain(404, f"Generation {name} not found")
        return json_reply("ok", 200, {"data": records.generation(done)})


def _over(quota: Quota, wait: float, wall: float) -> Reply:
    """The 429 of a quota. `Retry-After` is in whole seconds, rounded up."""
    retry_after = (("Retry-After", str(math.ceil(wait))),) if quota.retry_after else ()
    reset = envelopes.rate_limit(quota.limit, 0, wall + wait) if quota.reset else ()
    message = f"Rate limit exceeded: {quota.limit} requests per {quota.per:g} s"
    return envelopes.plain(429, message, "429 quota", retry_after + reset)
