"""A second, slower way to say where addresses lead: sets and a topological order instead of a walk."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from freehold.modules.mail.addresses.resolve import MAX_DEPTH

Node = tuple[str, str]
"""A domain and a local part."""


@dataclass(frozen=True)
class Place:
    """One address: whether it has a mailbox, of what kind, and the addresses that it leads to."""

    targets: tuple[str, ...] = ()
    has_mailbox: bool = False
    is_exact: bool = False
    is_disabled: bool = False


@dataclass(frozen=True)
class World:
    """Domains with their separators (aliases with their targets too), and the addresses in them."""

    separators: dict[str, str]
    places: dict[Node, Place]
    aliases: dict[str, str] = field(default_factory=dict)
    disabled: frozenset[str] = frozenset()
    order: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What an address comes to: a word, or mailboxes and addresses elsewhere."""

    word: str
    mailboxes: frozenset[Node] = frozenset()
    forwards: frozenset[str] = frozenset()


def expected(world: World, address: str, *, with_catch_all: bool = True) -> Outcome:
    """Return what an address comes to."""
    start = match(world, address, with_catch_all=with_catch_all)
    if isinstance(start, str):
        return Outcome(start)
    edges, forwards, words = _reachable(world, start, with_catch_all=with_catch_all)
    depth = _longest(edges)
    if depth is None or depth > MAX_DEPTH:
        return Outcome("loop")
    places = {node: world.places[node] for node in edges}
    mailboxes = {node for node, place in places.items() if place.has_mailbox and not place.is_disabled}
    if mailboxes or forwards:
        return Outcome("found", frozenset(mailboxes), frozenset(forwards))
    met_disabled = "disabled" in words or any(
        place.has_mailbox and place.is_disabled for place in places.values()
    )
    return Outcome("disabled" if met_disabled else "unknown")


def match(world: World, address: str, *, with_catch_all: bool) -> Node | str:
    """Return the address that another one means, or the word for why there is none."""
    local, _, domain = address.rpartition("@")
    if domain not in world.separators:
        return "foreign"
    while True:
        if domain in world.disabled:
            return "disabled"
        for base, is_sub in _candidates(local, world.separators[domain], with_catch_all=with_catch_all):
            place = world.places.get((domain, base))
            if place is not None and not (is_sub and place.has_mailbox and place.is_exact):
                return domain, base
        if domain not in world.aliases:
            return "unknown"
        domain = world.aliases[domain]


def _candidates(local: str, separator: str, *, with_catch_all: bool) -> Iterator[tuple[str, bool]]:
    yield local, False
    if separator:
        parts = local.split(separator)
        for count in range(len(parts) - 1, 0, -1):
            if base := separator.join(parts[:count]):
                yield base, True
    if with_catch_all:
        yield "", False


def _reachable(
    world: World, start: Node, *, with_catch_all: bool
) -> tuple[dict[Node, set[Node]], set[str], set[str]]:
    edges: dict[Node, set[Node]] = {}
    forwards, words = set(), set()
    waiting = [start]
    while waiting:
        node = waiting.pop()
        if node in edges:
            continue
        edges[node] = set()
        for target in world.places[node].targets:
            found = match(world, target, with_catch_all=with_catch_all)
            if found == "foreign":
                forwards.add(target)
            elif isinstance(found, str):
                words.add(found)
            elif found != node:
                edges[node].add(found)
                waiting.append(found)
    return edges, forwards, words


def _longest(edges: dict[Node, set[Node]]) -> int | None:
    """Return how many addresses the longest way has, or None if there is a circle."""
    heights: dict[Node, int] = {}
    left = dict(edges)
    while left:
        ready = [node for node, after in left.items() if after <= heights.keys()]
        if not ready:
            return None
        for node in ready:
            heights[node] = 1 + max((heights[after] for after in left.pop(node)), default=0)
    return max(heights.values(), default=0)
