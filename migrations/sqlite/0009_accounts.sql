-- People who organise, and scripts that act for them. Nodes of version 0.1.0 leave the tables alone: whoever signs in there is the
-- account `owner`, which has no row because its password is the server's own.

CREATE TABLE accounts (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    name            TEXT    NOT NULL,
    -- The name as it is compared.
    name_key        TEXT    NOT NULL UNIQUE,
    role            TEXT    NOT NULL CHECK (role IN ('owner', 'manager', 'viewer', 'door')),
    -- An argon2 hash; NULL until the first password is set.
    password        TEXT,
    -- The digest of the link with which the next password is set, once.
    link            TEXT    UNIQUE,
    link_expires_at INTEGER CHECK ((link IS NULL) = (link_expires_at IS NULL)),
    created_at      INTEGER NOT NULL,
    signed_in_at    INTEGER
) STRICT;

CREATE TABLE tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL,
    digest       TEXT    NOT NULL UNIQUE,
    -- Words, separated by spaces.
    scopes       TEXT    NOT NULL,
    -- NULL for every event. Nodes of 0.1.0 delete events without knowing this table.
    event_id     INTEGER REFERENCES events (id) ON DELETE CASCADE,
    expires_at   INTEGER,
    created_at   INTEGER NOT NULL,
    created_by   TEXT    NOT NULL,
    last_used_at INTEGER
) STRICT;

CREATE INDEX tokens_event ON tokens (event_id);

-- 0 is the account `owner`.
ALTER TABLE sessions ADD COLUMN account_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
-- What the browser calls itself.
ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';
