"""Who the process is: from root to an unprivileged user, for good, and dying with its parent."""

import ctypes
import os
import pwd
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from freehold.errors import FreeholdError

PR_SET_PDEATHSIG: Final = 1
PR_SET_NO_NEW_PRIVS: Final = 38
PRIVATE_UMASK: Final = 0o077
ROOT: Final = 0


class PrivilegeError(FreeholdError):
    """The process cannot become who it should be."""

    public = "cannot change the user"


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A user of this machine, with all groups."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def find_user(name: str) -> SystemUser:
    """Return the user of that name. Raises PrivilegeError when there is none."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise PrivilegeError(
            f"there is no user {name!r} on this machine: create it (useradd --system {name}) or set `user`"
        ) from None
    return _from_entry(entry)


def is_root() -> bool:
    """Return whether the process may do everything."""
    return os.geteuid() == ROOT


def become(user: SystemUser) -> None:
    """Become the user for good: supplementary groups, group, user; nothing is left to go back with.

    Raises:
        PrivilegeError: the system refused, or root could be regained.
    """
    try:
        os.setgroups(user.groups)
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
    except OSError as error:
        raise PrivilegeError(f"cannot become user {user.name!r}: {error.strerror}") from error
    if user.uid == ROOT:
        return
    try:
        os.setuid(ROOT)
    except PermissionError:
        return
    raise PrivilegeError("root could be regained after dropping it")


def drop(user: SystemUser | None) -> None:
    """Become the user when root, and take from the process every way to gain more; files become private."""
    if user is not None and is_root():
        become(user)
    os.umask(PRIVATE_UMASK)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)


def become_owner(data: Path) -> None:
    """As root, become the owner of a data folder, so that every file stays the server's."""
    os.umask(PRIVATE_UMASK)
    if not is_root():
        return
    uid = data.stat().st_uid
    if uid == ROOT:
        return
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise PrivilegeError(
            f"{data} belongs to user number {uid}, which this machine does not know"
        ) from None
    become(_from_entry(entry))
    os.environ["HOME"] = entry.pw_dir


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; end it at once if that has happened already.

    Call it after the last change of user, which clears it (prctl(2)).
    """
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _from_entry(entry: pwd.struct_passwd) -> SystemUser:
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return SystemUser(entry.pw_name, entry.pw_uid, entry.pw_gid, groups)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise PrivilegeError(f"prctl({option}) failed: {os.strerror(ctypes.get_errno())}")
