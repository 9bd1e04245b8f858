"""Tells whose annotations changed, by the names of the entries (RFC 5465 §5.6, §5.7).

What is told is read from the entries' modseqs and not from events: many changes between two looks are one,
and news that were missed are told with the next. Without NOTIFY nothing is told: RFC 5464 §4.1 allows it to
those only who said ENABLE METADATA, which is not offered here, nor by Dovecot.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from freehold.modules.mail.folders.access import rights_of
from freehold.modules.mail.folders.metadata import SERVER, ChangedEntry, list_changed_entries
from freehold.modules.mail.folders.read import Folder
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.imap.notify_state import Registration
from freehold.modules.mail.imap.watchers import News
from freehold.protocols.imap.metadata import changed_line
from freehold.storage.database import Transaction

MAX_TOLD_AT_ONCE: Final = 100
"""Entries named by one response; further ones are told by another."""


class AnnotationNews(NamedTuple):
    """Names of changed entries by folder, "" for the server; `server_modseq` is up to where that was read."""

    entries: Mapping[str, list[str]]
    server_modseq: int


NO_ANNOTATIONS: Final = AnnotationNews({}, 0)


class _Watched(NamedTuple):
    name: str
    modseq: int


async def read_annotation_news(
    tx: Transaction,
    person_id: int,
    registration: Registration,
    news: News,
    folders: list[Folder],
    owners: Mapping[int, int],
) -> AnnotationNews:
    """Return what the groups want to be told of the annotations of some folders, and of the server.

    `folders` of others, whose owners are in `owners`, are taken for readable; the person's own are looked
    at, for the right to read them can be taken away. The session's own changes are left out.
    """
    watched: dict[int, dict[int, _Watched]] = {}
    if news & News.SERVER and registration.wants_server_metadata:
        watched[person_id] = {SERVER: _Watched("", registration.server_modseq)}
    for folder in filter(registration.wants_annotations_of, folders):
        known = registration.folders.get(folder.id)
        modseq = 0 if known is None else known.modseq
        if modseq < folder.modseq and (folder.id in owners or await _may_read(tx, person_id, folder)):
            of_mailbox = watched.setdefault(owners.get(folder.id, person_id), {})
            of_mailbox[folder.id] = _Watched(folder.name, modseq)
    told: dict[str, list[str]] = {}
    server_modseq = registration.server_modseq
    for mailbox_id, places in watched.items():
        since = min(place.modseq for place in places.values())
        for changed in await list_changed_entries(tx, mailbox_id, person_id, since):
            place = places.get(changed.folder_id)
            if place is not None and _is_news(changed, place.modseq, registration):
                told.setdefault(place.name, []).append(changed.entry)
            if changed.folder_id == SERVER and SERVER in places:
                server_modseq = max(server_modseq, changed.modseq)
    return AnnotationNews(dict(sorted(told.items())), server_modseq)


def annotation_lines(news: AnnotationNews, *, utf8: bool) -> Iterator[bytes]:
    """Yield the METADATA responses of some news."""
    for name, entries in news.entries.items():
        for start in range(0, len(entries), MAX_TOLD_AT_ONCE):
            yield changed_line(name, entries[start : start + MAX_TOLD_AT_ONCE], utf8=utf8)


async def _may_read(tx: Transaction, person_id: int, folder: Folder) -> bool:
    return not folder.is_shared or Right.READ in await rights_of(tx, folder.id, person_id, person_id)


def _is_news(changed: ChangedEntry, modseq: int, registration: Registration) -> bool:
    """Tell whether another session did this, after `modseq`.

    Of a place that was not known before, all entries are news, but not those that it has no more.
    """
    if changed.modseq <= modseq or (changed.folder_id, changed.modseq) in registration.own_annotations:
        return False
    return bool(modseq) or not changed.is_removed
