-- Owners, their domains, and the logins that people prove who they are with.

CREATE TABLE owner (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    is_administrator BOOLEAN NOT NULL,
    max_domains BIGINT,                 -- NULL: no limit, here and below
    max_mailboxes BIGINT,
    max_storage_bytes BIGINT,
    max_messages_per_day BIGINT,
    created_ms BIGINT NOT NULL
) STRICT;

CREATE TABLE domain (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,          -- lower case, A-labels
    owner_id BIGINT NOT NULL REFERENCES owner (id),
    target_id BIGINT REFERENCES domain (id),  -- set: an alias of that whole domain
    separator TEXT NOT NULL,            -- of subaddresses: '+', '-' or '' for none
    is_disabled BOOLEAN NOT NULL,
    created_ms BIGINT NOT NULL
) STRICT;
CREATE INDEX domain_owner ON domain (owner_id);
CREATE INDEX domain_target ON domain (target_id);

CREATE TABLE login (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,          -- as shown; every name it goes by is in login_name
    owner_id BIGINT NOT NULL REFERENCES owner (id),
    password_hash TEXT,                 -- argon2id; NULL: only app passwords work
    scram_verifier TEXT,                -- SCRAM-SHA-256 (RFC 5803 form)
    is_disabled BOOLEAN NOT NULL,
    created_ms BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL
) STRICT;
CREATE INDEX login_owner ON login (owner_id);

-- What a person may type as login name, in lower case: the main address, and a name of their own.
CREATE TABLE login_name (
    name TEXT NOT NULL PRIMARY KEY,
    login_id BIGINT NOT NULL REFERENCES login (id) ON DELETE CASCADE
) WITHOUT ROWID, STRICT;
CREATE INDEX login_name_login ON login_name (login_id);

CREATE TABLE app_password (
    id BIGINT NOT NULL PRIMARY KEY,
    login_id BIGINT NOT NULL REFERENCES login (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    uses TEXT NOT NULL,                 -- space-separated: imap pop3 submission dav panel
    digest BLOB NOT NULL,               -- SHA-256 of a secret of 128 random bits
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT,
    last_used_ms BIGINT
) STRICT;
CREATE INDEX app_password_login ON app_password (login_id);
CREATE UNIQUE INDEX app_password_digest ON app_password (digest);

-- Random keys that every process and node of the installation shares.
CREATE TABLE installation_secret (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID, STRICT;
