-- Mailboxes and addresses, folders and messages, the queue, and the trace of what happened.
-- Every row that belongs to a person's mail carries mailbox_id; nothing on the path of a message
-- spans two mailboxes.

-- A person's mail. `modseq` counts every change in it (RFC 7162, RFC 8620 state).
CREATE TABLE mailbox (
    id BIGINT PRIMARY KEY,              -- small and sequential
    login_id BIGINT NOT NULL UNIQUE REFERENCES login (id),
    owner_id BIGINT NOT NULL REFERENCES owner (id),
    address TEXT NOT NULL UNIQUE,       -- the main one, as shown and as default sender
    quota_bytes BIGINT,                 -- NULL: no limit
    used_bytes BIGINT NOT NULL,
    message_count BIGINT NOT NULL,
    modseq BIGINT NOT NULL,
    change_floor BIGINT NOT NULL,       -- changes up to this modseq are no longer in `change`
    inbox_id BIGINT NOT NULL,           -- its INBOX folder
    is_exact BOOLEAN NOT NULL,          -- no subaddresses
    keeps_trash BOOLEAN NOT NULL,       -- what is expunged outside Trash moves there
    object_key BLOB NOT NULL,           -- random; hides blob ids in EMAILID (RFC 8474)
    is_disabled BOOLEAN NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE INDEX mailbox_owner ON mailbox (owner_id);

-- One address of a domain of ours; `local_part` '' is the catch-all. Local parts are lower case.
CREATE TABLE address (
    id BIGINT PRIMARY KEY,
    domain_id BIGINT NOT NULL REFERENCES domain (id),
    local_part TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    UNIQUE (domain_id, local_part)
);

-- Where an address delivers to; several at once.
CREATE TABLE target (
    id BIGINT PRIMARY KEY,
    address_id BIGINT NOT NULL REFERENCES address (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,                 -- mailbox, address, maildir, mbox, program, discard
    mailbox_id BIGINT REFERENCES mailbox (id) ON DELETE CASCADE,  -- kind mailbox
    value TEXT NOT NULL                 -- kind address: the address; maildir, mbox: path; program: command
);
CREATE INDEX target_address ON target (address_id);
CREATE INDEX target_mailbox ON target (mailbox_id);
CREATE INDEX target_value ON target (value);

-- An IMAP mailbox (RFC 9051 calls it that; a "mailbox" here is a person's).
CREATE TABLE folder (
    id BIGINT PRIMARY KEY,              -- small and sequential (< 2^31)
    mailbox_id BIGINT NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    name TEXT NOT NULL,                 -- full path, '/' between levels; INBOX in upper case
    uid_validity BIGINT NOT NULL,
    uid_next BIGINT NOT NULL,
    recent_uid BIGINT NOT NULL,         -- UIDs from here on are \Recent for the next SELECT
    modseq BIGINT NOT NULL,             -- of its latest change
    message_count BIGINT NOT NULL,
    unseen_count BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    special_use TEXT NOT NULL,          -- '' or e.g. '\Sent' (RFC 6154)
    is_subscribed BOOLEAN NOT NULL,
    is_selectable BOOLEAN NOT NULL,     -- false: \NoSelect, kept for its children
    is_shared BOOLEAN NOT NULL,         -- has rows in `folder_right`
    UNIQUE (mailbox_id, name)
);

-- The newest UIDVALIDITY given; one row (RFC 9051 §2.3.1.1: values never come again).
CREATE TABLE folder_validity (uid_validity BIGINT NOT NULL);
INSERT INTO folder_validity (uid_validity) VALUES (0);

-- Who may do what with a folder (RFC 4314); a folder without rows is its owner's alone.
CREATE TABLE folder_right (
    folder_id BIGINT NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
    holder_id BIGINT NOT NULL,          -- a mailbox; its own: the owner; below 0: all of owner -holder_id
    is_negative BOOLEAN NOT NULL,       -- taken away, whatever other rows give
    rights BIGINT NOT NULL,             -- bits: see folders/rights.py
    PRIMARY KEY (folder_id, holder_id, is_negative)
) WITHOUT ROWID;
CREATE INDEX folder_right_holder ON folder_right (holder_id);

-- Those who have marked messages of somebody else's folder as \Seen, for themselves.
CREATE TABLE folder_reader (
    folder_id BIGINT NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
    reader_id BIGINT NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    seen_count BIGINT NOT NULL,
    modseq BIGINT NOT NULL,             -- of their latest change, from the folder's mailbox's counter
    PRIMARY KEY (folder_id, reader_id)
) WITHOUT ROWID;
CREATE INDEX folder_reader_reader ON folder_reader (reader_id);

-- What they have marked. A row stays when \Seen is removed again, for its modseq.
CREATE TABLE message_seen (
    reader_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    seen BIGINT NOT NULL,               -- 1 or 0: the bit of message.flags
    modseq BIGINT NOT NULL,
    PRIMARY KEY (reader_id, message_id)
) WITHOUT ROWID;

-- Names subscribed to without a folder of that name (RFC 9051 §6.3.7).
CREATE TABLE subscription (
    mailbox_id BIGINT NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (mailbox_id, name)
) WITHOUT ROWID;

-- Annotations of folders and of the server (RFC 5464). `folder_id` 0: the server's, for who reads.
-- The newest rows whose value was removed stay, so that sessions can tell of it.
CREATE TABLE metadata (
    mailbox_id BIGINT NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,  -- whose folder it is
    folder_id BIGINT NOT NULL,
    reader_id BIGINT NOT NULL,          -- the mailbox of who may see it (/private); 0: /shared
    entry TEXT NOT NULL,                -- lower case, with /private or /shared
    value BLOB,                         -- NULL: removed
    modseq BIGINT NOT NULL,             -- of its latest change
    PRIMARY KEY (mailbox_id, folder_id, reader_id, entry)
) WITHOUT ROWID;
CREATE INDEX metadata_change ON metadata (reader_id, mailbox_id, modseq);

-- Up to which percentage of a quota its holder was warned; no row: not since it was last below all.
CREATE TABLE quota_warning (
    kind TEXT NOT NULL,                 -- mailbox, owner
    holder_id BIGINT NOT NULL,
    percent BIGINT NOT NULL,
    PRIMARY KEY (kind, holder_id)
) WITHOUT ROWID;

-- A message in a folder. id = folder_id * 2^32 + uid, so a folder is one range of the primary key.
CREATE TABLE message (
    id BIGINT PRIMARY KEY,
    mailbox_id BIGINT NOT NULL,
    blob_id BIGINT NOT NULL,
    modseq BIGINT NOT NULL,
    flags BIGINT NOT NULL,              -- bits: see model.Flag
    keywords TEXT NOT NULL,             -- space-separated, sorted
    internal_ms BIGINT NOT NULL,        -- INTERNALDATE
    saved_ms BIGINT NOT NULL,           -- when it came into this folder (RFC 8514)
    size_bytes BIGINT NOT NULL
);

-- Ready-made IMAP bytes of a content, shared by every folder that has it. Apart from `message` so
-- that flags stay dense, and in the order of arrival so that a delivery writes next to the last one.
CREATE TABLE message_summary (
    blob_id BIGINT PRIMARY KEY REFERENCES blob (id) ON DELETE CASCADE,
    envelope BLOB NOT NULL,
    body_structure BLOB NOT NULL
);

-- What SORT, THREAD and PREVIEW need of a content; see search/index_row.py. Written behind delivery.
CREATE TABLE message_index (
    blob_id BIGINT PRIMARY KEY REFERENCES blob (id) ON DELETE CASCADE,
    sent_ms BIGINT,                     -- NULL: the message has no date of its own
    base_subject TEXT NOT NULL,
    is_reply BOOLEAN NOT NULL,
    from_key TEXT NOT NULL,
    to_key TEXT NOT NULL,
    cc_key TEXT NOT NULL,
    display_from TEXT NOT NULL,
    display_to TEXT NOT NULL,
    message_id TEXT NOT NULL,
    reference_ids TEXT NOT NULL,
    preview TEXT NOT NULL
);

-- The index of words, written by the back process only; see docs/search.md. `generation` grows with each
-- change of a mailbox's index, so that nobody adds to one that has changed meanwhile.
CREATE TABLE search_mailbox (
    mailbox_id BIGINT PRIMARY KEY REFERENCES mailbox (id) ON DELETE CASCADE,
    generation BIGINT NOT NULL,
    swept_modseq BIGINT NOT NULL        -- the mailbox's modseq when what is gone was last taken out
);

-- How far each folder is indexed: all messages with UIDs below next_uid are.
CREATE TABLE search_folder (
    folder_id BIGINT PRIMARY KEY REFERENCES folder (id) ON DELETE CASCADE,
    next_uid BIGINT NOT NULL
);

-- Which contents are in the index of a mailbox.
CREATE TABLE search_document (
    mailbox_id BIGINT NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    blob_id BIGINT NOT NULL,
    PRIMARY KEY (mailbox_id, blob_id)
) WITHOUT ROWID;

-- Some hundred contents that were indexed or merged together.
CREATE TABLE search_segment (
    mailbox_id BIGINT NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    document_count BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,         -- of its words and postings
    documents BLOB NOT NULL,            -- ids of contents, 8 octets each
    PRIMARY KEY (mailbox_id, number)
);

-- The words of one part of the messages (field: see search/terms.py) in a segment.
CREATE TABLE search_words (
    mailbox_id BIGINT NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    field BIGINT NOT NULL,
    number BIGINT NOT NULL,
    words BLOB NOT NULL,                -- each between line feeds
    postings BLOB NOT NULL,             -- for each word, the contents that have it
    PRIMARY KEY (mailbox_id, field, number)
);

-- How many octets a content grows by when POP3 sends its lines in CRLF; only contents that do grow.
CREATE TABLE message_growth (
    blob_id BIGINT PRIMARY KEY REFERENCES blob (id) ON DELETE CASCADE,
    added_octets BIGINT NOT NULL
);

-- What changed in messages that were there, in order: serves CONDSTORE, QRESYNC and IDLE. New
-- messages leave no row: they are those with UIDs from the last known UIDNEXT on.
CREATE TABLE change (
    mailbox_id BIGINT NOT NULL,
    modseq BIGINT NOT NULL,
    folder_id BIGINT NOT NULL,
    first_uid BIGINT NOT NULL,
    last_uid BIGINT NOT NULL,
    kind TEXT NOT NULL,                 -- flags, expunged
    reader_id BIGINT NOT NULL,          -- whose \Seen changed, for nobody else to be told; 0: for all
    PRIMARY KEY (folder_id, modseq, first_uid)
) WITHOUT ROWID;

-- Which start of the machine was the latest to be noted, and the modseqs that were skipped after each: a loss
-- of power may have taken back what clients were told of them. From above `kept` up to `last`.
CREATE TABLE machine_boot (
    boot TEXT PRIMARY KEY
);

CREATE TABLE modseq_gap (
    mailbox_id BIGINT NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    kept BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (mailbox_id, kept)
) WITHOUT ROWID;

-- The queue: see queue/states.py for its legal states.
CREATE TABLE queue_message (
    id BIGINT PRIMARY KEY,
    trace_id BIGINT NOT NULL,
    blob_id BIGINT NOT NULL,
    skip_bytes BIGINT NOT NULL,         -- the length of our own Return-Path line at the blob's head
    size_bytes BIGINT NOT NULL,
    reverse_path TEXT NOT NULL,         -- '' for bounces
    mailbox_id BIGINT,                  -- who submitted it; NULL: forwarded or our own
    is_utf8 BOOLEAN NOT NULL,           -- needs SMTPUTF8
    is_8bit BOOLEAN NOT NULL,
    created_ms BIGINT NOT NULL
);

CREATE TABLE queue_recipient (
    id BIGINT PRIMARY KEY,
    queue_id BIGINT NOT NULL REFERENCES queue_message (id) ON DELETE CASCADE,
    transport TEXT NOT NULL,            -- smtp, maildir, mbox, program
    destination TEXT NOT NULL,          -- smtp: domain; else '' (one lane)
    recipient TEXT NOT NULL,            -- smtp: address; else path or command
    original_recipient TEXT NOT NULL,   -- the address it was sent to before aliases (for reports)
    state TEXT NOT NULL,                -- ready, held
    attempts BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    lease_ms BIGINT NOT NULL,           -- 0, or until when one worker has it
    lease_by BIGINT NOT NULL,           -- host that has it
    expires_ms BIGINT NOT NULL,
    warned BOOLEAN NOT NULL,            -- the delay warning was queued
    last_error TEXT NOT NULL,
    last_ms BIGINT NOT NULL
);
CREATE INDEX queue_recipient_message ON queue_recipient (queue_id, destination, transport);
-- covers the search for what is due, however long the queue
CREATE INDEX queue_recipient_lane ON queue_recipient (state, transport, destination, due_ms, lease_ms);

-- What happened to each message, for `freehold message trace` (kept for 30 days).
CREATE TABLE trace (
    id BIGINT PRIMARY KEY,              -- time-ordered; its text form is in the 250 reply and in Received
    received_ms BIGINT NOT NULL,
    reverse_path TEXT NOT NULL,
    client TEXT NOT NULL,               -- address and HELO name, or the login
    size_bytes BIGINT NOT NULL,
    message_id TEXT NOT NULL            -- the header's
);

-- One row per recipient. In the order of arrival, for writing is hot: a search by address, which is
-- rare, reads through the table.
CREATE TABLE trace_recipient (
    trace_id BIGINT NOT NULL,
    address TEXT NOT NULL,
    state TEXT NOT NULL,                -- delivered, queued, deferred, relayed, bounced, discarded, held, removed
    detail TEXT NOT NULL,               -- mailbox and folder, or the last reply of the peer
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (trace_id, address)
) WITHOUT ROWID;
