"""Random worlds of addresses, resolved and compared with the model."""

from typing import NoReturn

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from freehold.accounts import login_store
from freehold.accounts import store as account_store
from freehold.accounts.model import HOST_ADMINISTRATOR, Domain, Login
from freehold.accounts.owners import add_owner
from freehold.modules.mail.addresses import store
from freehold.modules.mail.addresses.access import may_send_as
from freehold.modules.mail.addresses.model import Destination, ForeignDomain, Mailbox
from freehold.modules.mail.addresses.resolve import resolve
from freehold.modules.mail.errors import AddressLoopError, MailboxDisabledError, UnknownAddressError
from freehold.modules.mail.model import MailboxId, TargetKind
from freehold.storage.database import Database, Transaction
from tests.modules.mail.addresses.graph_model import Node, Outcome, Place, World, expected

NOW_MS = 1
PLUS, MINUS, ALIAS = "plus.example", "minus.example", "alias.example"
LOCALS = ("a", "b", "c", "a-b", "a-b-c", "a+b", "")
TYPED = (*LOCALS[:-1], "a-x", "a-b-x", "a-b-c-x", "a+x", "a+b+x", "b-", "-b", "z")
CHAIN = 24

addresses = st.builds("{}@{}".format, st.sampled_from(TYPED), st.sampled_from((PLUS, MINUS, ALIAS)))
elsewhere = st.sampled_from(("x@else.example", "y@else.example"))
places = st.builds(
    Place,
    targets=st.lists(st.one_of(addresses, addresses, elsewhere), max_size=3, unique=True).map(tuple),
    has_mailbox=st.booleans(),
    is_exact=st.booleans(),
    is_disabled=st.sampled_from((False, False, True)),
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    nodes = st.tuples(st.sampled_from((PLUS, MINUS, ALIAS)), st.sampled_from(LOCALS))
    made: dict[Node, Place] = draw(st.dictionaries(nodes, places, max_size=10))
    made = {
        node: place if node[1] else Place(targets=place.targets) for node, place in made.items()
    }  # a catch-all has no mailbox of its own
    for number in range(draw(st.integers(0, CHAIN))):
        following = f"k{number + 1}@{PLUS}"
        made[PLUS, f"k{number}"] = Place(targets=(following, *draw(st.lists(addresses, max_size=1))))
    if draw(st.booleans()):
        made[PLUS, f"k{draw(st.integers(17, CHAIN))}"] = Place(has_mailbox=True)
    return World(
        separators={PLUS: "+", MINUS: "-", ALIAS: draw(st.sampled_from(("+", "-", "")))},
        places=made,
        aliases={ALIAS: draw(st.sampled_from((PLUS, MINUS)))} if draw(st.booleans()) else {},
        disabled=draw(
            st.sampled_from((frozenset[str](), frozenset[str](), frozenset({MINUS}), frozenset({ALIAS})))
        ),
    )


class UndoError(Exception):
    """Takes the outcomes out of a transaction that is to leave no trace."""

    def __init__(self, differences: list[str], words: set[str]) -> None:
        super().__init__()
        self.differences = differences
        self.words = words


async def build(tx: Transaction, world: World) -> dict[int, Node]:
    """Write a world; returns the nodes of its mailboxes by their ids."""
    owner = await add_owner(tx, HOST_ADMINISTRATOR, "anna", now_ms=NOW_MS)
    domain_ids = {name: number for number, name in enumerate(world.separators, start=1)}
    for name, separator in world.separators.items():
        domain = Domain(
            domain_ids[name], name, owner.id, owner.name, None, separator, name in world.disabled, NOW_MS
        )
        await account_store.insert_domain(tx, domain, None)
    for alias, target in world.aliases.items():
        await account_store.update_domain_target(tx, domain_ids[alias], domain_ids[target])
    mailboxes: dict[int, Node] = {}
    for number, (node, place) in enumerate(world.places.items(), start=1):
        address_id = await store.insert_address(tx, domain_ids[node[0]], node[1], now_ms=NOW_MS)
        if place.has_mailbox:
            mailboxes[number] = node
            await insert_mailbox(tx, number, node, place, owner.id)
            await store.insert_target(tx, address_id, Destination(TargetKind.MAILBOX, ""), number)
        for target in place.targets:
            await store.insert_target(tx, address_id, Destination(TargetKind.ADDRESS, target))
    return mailboxes


async def insert_mailbox(tx: Transaction, number: int, node: Node, place: Place, owner_id: int) -> None:
    name = f"{node[1]}@{node[0]}"
    await login_store.insert_login(
        tx,
        Login(number, name, owner_id, None, None, is_disabled=False, is_administrator=False),
        now_ms=NOW_MS,
    )
    await store.insert_mailbox(
        tx,
        Mailbox(
            id=MailboxId(number),
            address=name,
            login_id=number,
            login=name,
            owner_id=owner_id,
            owner="anna",
            quota_bytes=None,
            used_bytes=0,
            message_count=0,
            is_exact=place.is_exact,
            is_disabled=place.is_disabled,
            created_ms=NOW_MS,
        ),
    )


async def outcome(tx: Transaction, address: str, mailboxes: dict[int, Node]) -> Outcome:
    local, _, domain = address.rpartition("@")
    try:
        resolution = await resolve(tx, local, domain)
    except UnknownAddressError:
        return Outcome("unknown")
    except MailboxDisabledError:
        return Outcome("disabled")
    except AddressLoopError:
        return Outcome("loop")
    if isinstance(resolution, ForeignDomain):
        return Outcome("foreign")
    ids = [target.mailbox_id for target in resolution.mailboxes]
    assert len(ids) == len(set(ids))
    assert len(resolution.forwards) == len(set(resolution.forwards))
    return Outcome("found", frozenset(mailboxes[number] for number in ids), frozenset(resolution.forwards))


async def compare(tx: Transaction, world: World) -> NoReturn:
    mailboxes = await build(tx, world)
    asked = [f"{local}@{domain}" for local in (*TYPED, "k0", "k3") for domain in world.separators]
    differences, words = [], set()
    for address in [*asked, "x@else.example"]:
        wanted = expected(world, address)
        words.add(wanted.word)
        got = await outcome(tx, address, mailboxes)
        if got != wanted:
            differences.append(f"{address}: {got}, not {wanted}")
        local, _, domain = address.rpartition("@")
        senders = {node for number, node in mailboxes.items() if await may_send_as(tx, number, local, domain)}
        if senders != expected(world, address, with_catch_all=False).mailboxes:
            differences.append(f"{address} may be used by {senders}")
    raise UndoError(differences, words)


@given(world=worlds())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_every_address_leads_where_the_model_says(database: Database, world: World) -> None:
    with pytest.raises(UndoError) as undone:
        await database.write(compare, world)
    for word in undone.value.words:
        event(word)
    assert undone.value.differences == []
