-- Times are milliseconds since 1970 in UTC. The program decides; the CHECKs and indexes below enforce the same rules as a backstop.

CREATE TABLE events (
    -- AUTOINCREMENT: old private links contain the key of a deleted event, so a key is never used again.
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    slug         TEXT    NOT NULL UNIQUE CHECK (length(slug) BETWEEN 1 AND 64),
    epoch        TEXT    NOT NULL,
    title        TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    capacity     INTEGER CHECK (capacity BETWEEN 0 AND 1000000),
    waitlist     INTEGER NOT NULL CHECK (waitlist IN (0, 1)),
    opens_at     INTEGER,
    closes_at    INTEGER,
    scheduled    INTEGER NOT NULL CHECK (scheduled IN (0, 1)),
    ended        INTEGER NOT NULL CHECK (ended IN (0, 1)),
    closed       INTEGER NOT NULL CHECK (closed IN (0, 1)),
    round        INTEGER NOT NULL CHECK (round >= 1),
    revision     INTEGER NOT NULL CHECK (revision >= 1),
    registered   INTEGER NOT NULL CHECK (registered >= 0),
    waiting      INTEGER NOT NULL CHECK (waiting >= 0),
    last_number  INTEGER NOT NULL CHECK (last_number >= registered + waiting),
    at           INTEGER NOT NULL,
    announcement INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Archived rounds. The current round is in its event's row.
CREATE TABLE rounds (
    event_id    INTEGER NOT NULL REFERENCES events (id),
    round       INTEGER NOT NULL CHECK (round >= 1),
    capacity    INTEGER CHECK (capacity BETWEEN 0 AND 1000000),
    archived_at INTEGER NOT NULL,
    PRIMARY KEY (event_id, round)
) STRICT, WITHOUT ROWID;

-- Keeps its rowid: the rows are long, and WITHOUT ROWID was no faster.
CREATE TABLE registrations (
    -- Deferred: checked at each statement's end, it would make SQLite keep a copy of every page that the statement changes.
    event_id          INTEGER NOT NULL REFERENCES events (id) DEFERRABLE INITIALLY DEFERRED,
    round             INTEGER NOT NULL CHECK (round >= 1),
    number            INTEGER NOT NULL CHECK (number >= 1),
    secret            TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    -- Name and address as a search compares them: databases fold case and accents in ways of their own.
    search_key        TEXT    NOT NULL,
    email             TEXT    NOT NULL,
    email_key         TEXT    NOT NULL,
    idempotency_key   TEXT,
    -- OR instead of IN: SQLite builds a table from a list after IN for each row that it checks.
    status            TEXT    NOT NULL CHECK (status = 'confirmed' OR status = 'waiting' OR status = 'cancelled'),
    accepted_waiting  INTEGER CHECK (accepted_waiting >= 1),
    accepted_revision INTEGER NOT NULL,
    revision          INTEGER NOT NULL CHECK (revision >= accepted_revision),
    at                INTEGER NOT NULL,
    PRIMARY KEY (event_id, round, number)
) STRICT;

CREATE UNIQUE INDEX registrations_email ON registrations (event_id, round, email_key) WHERE status <> 'cancelled';
CREATE UNIQUE INDEX registrations_key ON registrations (event_id, round, idempotency_key) WHERE idempotency_key IS NOT NULL;
-- With `status` among its columns, SQLite prefers this index to the primary key.
CREATE INDEX registrations_waiting ON registrations (event_id, round, status, number) WHERE status = 'waiting';

-- The change log: one row for each revision, with the whole count.
CREATE TABLE changes (
    event_id   INTEGER NOT NULL REFERENCES events (id),
    revision   INTEGER NOT NULL CHECK (revision >= 1),
    kind       TEXT    NOT NULL,
    round      INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    capacity   INTEGER,
    registered INTEGER NOT NULL,
    waiting    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (event_id, revision)
) STRICT, WITHOUT ROWID;

-- By slug, not by key: who deleted an event must be found afterwards.
CREATE TABLE audit (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    slug     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    who      TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    "before" TEXT    NOT NULL CHECK (json_valid("before")),
    "after"  TEXT    NOT NULL CHECK (json_valid("after"))
) STRICT;

CREATE INDEX audit_slug ON audit (slug, id);

CREATE TABLE announcements (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id INTEGER NOT NULL REFERENCES events (id),
    text     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    -- A withdrawal is an announcement without text, over at once.
    ends_at  INTEGER NOT NULL CHECK (ends_at >= at)
) STRICT;

CREATE INDEX announcements_event ON announcements (event_id);

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Sessions of the organiser's console, by the digest of their secret.
CREATE TABLE sessions (
    digest     TEXT    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Submissions of the console's forms, so that a second click acts once; `outcome` is where the first one led. Kept for an hour.
CREATE TABLE forms (
    key     TEXT    NOT NULL PRIMARY KEY,
    outcome TEXT,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX forms_at ON forms (at);
