"""Makes IMAP commands at random: whole ones of every family, and such as are nearly whole."""

import random
from collections.abc import Callable

MESSAGES = (
    b"Subject: x\r\n\r\nbody\r\n",
    b"From: a@b.test\r\nSubject: =?utf-8?q?=C3=A4?=\r\nMessage-ID: <1@x>\r\n\r\nfoo\r\n",
    b"Subject: Re: x\r\nReferences: <1@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"
    b"one\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nTo: c@d.test\r\n\r\ntwo\r\n--b\r\n"
    b"Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--b--\r\n",
    b"",
    b"no header at all",
)
FOLDERS = (
    b"INBOX", b"a", b"a/b", b"c", b"Trash", b'"x y"', b"&AOQ-", b"nosuch", b'""',
    b'"Other Users/ann@example.test/a"',
)  # fmt: skip
SETS = (b"1", b"1:*", b"*", b"2:4,1", b"1:3", b"9999", b"$", b"*:2", b"3,3,1")
FLAGS = (b"()", b"(\\Seen)", b"(\\Deleted)", b"(\\Deleted \\Flagged work)", b"(\\Recent)", b"(other)")
ITEMS = (
    b"ALL", b"FULL", b"FLAGS", b"UID", b"(UID FLAGS MODSEQ)", b"ENVELOPE", b"BODYSTRUCTURE", b"BODY",
    b"RFC822",
    b"BODY[]", b"BODY.PEEK[1.MIME]", b"BODY[2.1]<1.3>", b"BODY.PEEK[HEADER.FIELDS (Subject To)]", b"BODY[9]",
    b"BINARY.PEEK[3]", b"BINARY.SIZE[1]", b"BINARY[]<0.5>", b"PREVIEW", b"PREVIEW (LAZY)", b"INTERNALDATE",
    b"(EMAILID THREADID SAVEDATE)", b"RFC822.SIZE", b"(UID BODY.PEEK[TEXT])", b"BODY[2.HEADER]",
)  # fmt: skip
KEYS = (
    b"ALL", b"UNSEEN", b"DELETED", b"KEYWORD work", b"TEXT foo", b"BODY one", b"SUBJECT x", b'HEADER "X" ""',
    b"NOT SEEN", b"OR FROM a TO c", b"SINCE 1-Jan-2020", b"SENTBEFORE 1-Jan-2030", b"LARGER 10",
    b"YOUNGER 60",
    b"UID 1:*", b"1:2", b"$", b"MODSEQ 2", b"FUZZY TEXT fo", b"(SEEN (NOT DELETED))", b"EMAILID M1",
    b"SAVEDSINCE 1-Jan-2020", b"CHARSET utf-8 TEXT \xc3\xa4", b"UID *", b"RECENT", b"9999",
)  # fmt: skip
RETURNS = (
    b"", b"RETURN () ", b"RETURN (MIN COUNT) ", b"RETURN (SAVE) ", b"RETURN (SAVE ALL) ", b"RETURN (UPDATE) ",
    b"RETURN (PARTIAL 1:2) ", b"RETURN (PARTIAL -1:-2 COUNT) ", b"RETURN (UPDATE SAVE MAX) ",
)  # fmt: skip
EXTREMES = (
    b"MODSEQ 9223372036854775807", b"LARGER 9223372036854775807", b"SMALLER 0", b"OLDER 4294967295",
    b"YOUNGER 4294967295", b"UID 4294967295", b"SINCE 31-Dec-9999", b"SENTBEFORE 1-Jan-0001",
    b"BEFORE 1-Jan-0001", b"SAVEDBEFORE 31-Dec-9999", b"TEXT {1+}\r\n\0", b"KEYWORD nosuch",
    b'BODY "\xf0\x9f\x98\x80"', b'TEXT "%_\\\\"', b"HEADER {2+}\r\n\xff\0 x",
    b"SUBJECT {3+}\r\n\xed\xa0\x80", b"EMAILID M4294967296", b'FROM ""',
)  # fmt: skip
SORTS = (b"(ARRIVAL)", b"(REVERSE DATE SUBJECT)", b"(FROM TO CC)", b"(DISPLAYFROM SIZE)")
ENTRIES = (b"/private/comment", b"/shared/comment", b"(/private/x /shared/y)", b"/private", b"/shared/admin")
WHOLE = (
    b"NOOP", b"CHECK", b"CAPABILITY", b"NAMESPACE", b"EXPUNGE", b"ID NIL",
    b'ID ("name" "x")', b"NOTIFY NONE",
    b"NOTIFY SET STATUS (personal (MessageNew MessageExpunge FlagChange))",
    b"NOTIFY SET (selected (MessageNew (UID FLAGS) MessageExpunge FlagChange))",
    b"NOTIFY SET (selected-delayed (MessageNew MessageExpunge)) (subtree a (MailboxName SubscriptionChange))",
    b"ENABLE CONDSTORE", b"GETQUOTAROOT INBOX", b'GETQUOTA ""', b"LIST (SUBSCRIBED) \"\" * RETURN (CHILDREN)",
    b'LIST "" (% a*) RETURN (STATUS (MESSAGES UNSEEN SIZE) MYRIGHTS SPECIAL-USE)', b'LSUB "" *',
    b'LIST "" ""',
    b'LIST (RECURSIVEMATCH SUBSCRIBED) "" % RETURN (METADATA (/private/comment))', b"IDLE",
)  # fmt: skip
ENABLES = (b"ENABLE IMAP4rev2", b"ENABLE UTF8=ACCEPT", b"ENABLE QRESYNC", b"ENABLE UIDONLY")
PEOPLE = (b"bob@example.test", b"anyone", b"-bob@example.test", b"nobody@x")
RIGHTS = (b"lrs", b"+wt", b"-l", b'""', b"lrswipkxtea")
MUTATIONS = (
    b"(", b")", b" ", b'"', b"\\", b"0", b"*", b":", b"\xff", b"\x00", b"{", b"}", b"4294967296", b"~", b"[",
)  # fmt: skip


class Commands:
    """A source of commands without tags; the same seed gives the same ones."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self._makers: tuple[Callable[[], bytes], ...] = (
            self._whole, self._open, self._folder, self._append, self._append, self._store, self._fetch,
            self._fetch, self._search, self._search, self._move, self._expunge, self._rights, self._metadata,
        )  # fmt: skip

    def next(self) -> bytes:
        """Return a command; one of eight is damaged."""
        command = self.chance.choice(self._makers)()
        return self._damaged(command) if self.chance.randrange(8) == 0 else command

    def _of(self, *choices: bytes) -> bytes:
        return self.chance.choice(choices)

    def _whole(self) -> bytes:
        match self.chance.randrange(8):
            case 0:
                return self._of(*ENABLES)
            case 1:
                return self._of(b"CLOSE", b"UNSELECT", b"LOGOUT")
            case _:
                return self._of(*WHOLE)

    def _open(self) -> bytes:
        more = self._of(b"", b"", b" (CONDSTORE)", b" (QRESYNC (1 1))", b" (QRESYNC (1 2 1:9 (1,3 1,3)))")
        return self._of(b"SELECT ", b"SELECT ", b"SELECT ", b"EXAMINE ") + self._name() + more

    def _folder(self) -> bytes:
        name, other = self._of(*FOLDERS), self._of(*FOLDERS)
        return self._of(
            b"CREATE " + name,
            b"CREATE " + name + b" (USE (\\Sent))",
            b"DELETE " + name,
            b"RENAME " + name + b" " + other,
            b"SUBSCRIBE " + name,
            b"UNSUBSCRIBE " + name,
            b"STATUS " + name + b" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ SIZE DELETED)",
            b"STATUS " + name + b" (APPENDLIMIT MAILBOXID DELETED-STORAGE RECENT)",
        )

    def _append(self) -> bytes:
        message = self._of(*MESSAGES)
        literal = b"{%d+}\r\n%b" % (len(message), message)
        url = b'"/a/;UID=%d/;SECTION=1"' % self.chance.randrange(1, 4)
        head = self._of(b"APPEND " + self._name(), b"APPEND INBOX", b"REPLACE 1 a", b"UID REPLACE 2 INBOX")
        date = self._of(b"", b'" 1-Feb-2026 12:00:00 +0100" ')
        content = self._of(literal, literal, b"~" + literal, b"CATENATE (TEXT %b URL %b)" % (literal, url))
        more = b" " + literal if self.chance.randrange(6) == 0 else b""
        return head + b" " + self._of(b"", *(flags + b" " for flags in FLAGS)) + date + content + more

    def _store(self) -> bytes:
        condition = self._of(b"", b"", b"(UNCHANGEDSINCE 5) ", b"(UNCHANGEDSINCE 9223372036854775807) ")
        how = self._of(b"+FLAGS ", b"-FLAGS ", b"FLAGS ", b"+FLAGS.SILENT ")
        return self._uid() + b"STORE " + self._of(*SETS) + b" " + condition + how + self._of(*FLAGS)

    def _fetch(self) -> bytes:
        more = self._of(
            b"",
            b"",
            b"",
            b" (CHANGEDSINCE 3)",
            b" (PARTIAL 1:2)",
            b" (CHANGEDSINCE 9223372036854775807)",
            b" (PARTIAL -4294967295:-1)",
            b" (CHANGEDSINCE 1 VANISHED)",
        )
        return self._uid() + b"FETCH " + self._of(*SETS) + b" " + self._of(*ITEMS) + more

    def _search(self) -> bytes:
        keys = b" ".join(self._of(*KEYS, *EXTREMES) for _ in range(self.chance.randrange(1, 3)))
        returns = self._of(*RETURNS)
        return self._of(
            self._uid() + b"SEARCH " + returns + keys,
            self._uid() + b"SORT " + returns + self._of(*SORTS) + b" utf-8 " + keys,
            self._uid()
            + b"THREAD "
            + self._of(b"REFERENCES", b"REFS", b"ORDEREDSUBJECT")
            + b" utf-8 "
            + keys,
            b'CANCELUPDATE "t%d"' % self.chance.randrange(99),
        )

    def _move(self) -> bytes:
        return self._uid() + self._of(b"COPY ", b"MOVE ") + self._of(*SETS) + b" " + self._name()

    def _expunge(self) -> bytes:
        return self._of(b"EXPUNGE", b"UID EXPUNGE " + self._of(*SETS))

    def _rights(self) -> bytes:
        name, person = self._name(), self._of(*PEOPLE)
        return self._of(
            b"SETACL %b %b %b" % (name, person, self._of(*RIGHTS)),
            b"DELETEACL %b %b" % (name, person),
            b"GETACL " + name,
            b"LISTRIGHTS %b %b" % (name, person),
            b"MYRIGHTS " + name,
        )

    def _metadata(self) -> bytes:
        name, value = self._name(), self._of(b"NIL", b'"v"', b"~{2+}\r\n\0v", b'""')
        return self._of(
            b"GETMETADATA " + self._of(b"", b"(DEPTH infinity) ") + name + b" " + self._of(*ENTRIES),
            b"SETMETADATA %b (/private/comment %b)" % (name, value),
        )

    def _name(self) -> bytes:
        """Return the name of a folder, mostly one that is there."""
        return self._of(b"INBOX", b"INBOX", b"a", self._of(*FOLDERS))

    def _uid(self) -> bytes:
        return self._of(b"", b"UID ")

    def _damaged(self, command: bytes) -> bytes:
        """Return a command with something cut out or put in; its lines and literals stay as they are."""
        line, literal, rest = command.partition(b"{")
        start = self.chance.randrange(len(line) + 1)
        end = min(len(line), start + self.chance.randrange(3))
        return line[:start] + self._of(b"", *MUTATIONS) + line[end:] + literal + rest
