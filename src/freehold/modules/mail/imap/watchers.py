"""Which idling sessions look at which folder: one register for all sessions of a process."""

from collections.abc import Callable

from freehold.kernel.bus import Bus
from freehold.modules.mail.events import FolderChanged

Wake = Callable[[], None]


class Watchers:
    """Wakes idling sessions when a folder changes; an event that is lost costs only time."""

    __slots__ = ("_wakes",)

    def __init__(self, bus: Bus) -> None:
        self._wakes: dict[int, list[Wake]] = {}
        bus.subscribe(FolderChanged, self._on_change)

    def watch(self, folder_id: int, wake: Wake) -> None:
        """Have `wake` called for each change of a folder."""
        self._wakes.setdefault(folder_id, []).append(wake)

    def unwatch(self, folder_id: int, wake: Wake) -> None:
        """End that."""
        wakes = self._wakes.get(folder_id)
        if wakes is None or wake not in wakes:
            return
        wakes.remove(wake)
        if not wakes:
            del self._wakes[folder_id]

    def _on_change(self, event: FolderChanged) -> None:
        for wake in self._wakes.get(event.folder_id, ()):
            wake()
