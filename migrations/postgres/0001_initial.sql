-- Moments are milliseconds since 1970 in UTC. The program decides; every CHECK and index below is the second wall.

CREATE TABLE events (
    id           BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug         TEXT    COLLATE "C" NOT NULL UNIQUE CHECK (length(slug) BETWEEN 1 AND 64),
    epoch        TEXT    NOT NULL,
    title        TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    capacity     BIGINT  CHECK (capacity BETWEEN 0 AND 1000000),
    waitlist     BOOLEAN NOT NULL,
    opens_at     BIGINT,
    closes_at    BIGINT,
    scheduled    BOOLEAN NOT NULL,
    ended        BOOLEAN NOT NULL,
    closed       BOOLEAN NOT NULL,
    round        BIGINT  NOT NULL CHECK (round >= 1),
    revision     BIGINT  NOT NULL CHECK (revision >= 1),
    registered   BIGINT  NOT NULL CHECK (registered >= 0),
    waiting      BIGINT  NOT NULL CHECK (waiting >= 0),
    last_number  BIGINT  NOT NULL CHECK (last_number >= registered + waiting),
    at           BIGINT  NOT NULL,
    announcement BIGINT  NOT NULL DEFAULT 0
    -- Every commit rewrites its event's row: room on the page keeps the new version there, and the indexes untouched.
) WITH (fillfactor = 20);

-- Archived rounds; the current one stands in its event's row.
CREATE TABLE rounds (
    event_id    BIGINT NOT NULL REFERENCES events (id),
    round       BIGINT NOT NULL CHECK (round >= 1),
    capacity    BIGINT CHECK (capacity BETWEEN 0 AND 1000000),
    archived_at BIGINT NOT NULL,
    PRIMARY KEY (event_id, round)
);

CREATE TABLE registrations (
    event_id          BIGINT NOT NULL REFERENCES events (id),
    round             BIGINT NOT NULL CHECK (round >= 1),
    number            BIGINT NOT NULL CHECK (number >= 1),
    secret            TEXT   NOT NULL,
    name              TEXT   NOT NULL,
    -- In lower case, for the search: the database's own lower() may know only ASCII.
    name_key          TEXT   NOT NULL,
    email             TEXT   NOT NULL,
    -- Compared by bytes: faster, and no index depends on the system's locales.
    email_key         TEXT   COLLATE "C" NOT NULL,
    idempotency_key   TEXT   COLLATE "C",
    status            TEXT   NOT NULL CHECK (status IN ('confirmed', 'waiting', 'cancelled')),
    accepted_waiting  BIGINT CHECK (accepted_waiting >= 1),
    accepted_revision BIGINT NOT NULL,
    revision          BIGINT NOT NULL CHECK (revision >= accepted_revision),
    at                BIGINT NOT NULL,
    PRIMARY KEY (event_id, round, number)
);

-- Led by what nothing else is led by, so that no plan made while the table was empty takes the primary key instead and walks the round.
CREATE UNIQUE INDEX registrations_email ON registrations (email_key, event_id, round) WHERE status <> 'cancelled';
CREATE UNIQUE INDEX registrations_key ON registrations (idempotency_key, event_id, round) WHERE idempotency_key IS NOT NULL;
CREATE INDEX registrations_waiting ON registrations (event_id, round, status, number) WHERE status = 'waiting';

-- The lossless log: one row a revision, each the whole count.
CREATE TABLE changes (
    event_id   BIGINT NOT NULL REFERENCES events (id),
    revision   BIGINT NOT NULL CHECK (revision >= 1),
    kind       TEXT   NOT NULL,
    round      BIGINT NOT NULL,
    state      TEXT   NOT NULL,
    capacity   BIGINT,
    registered BIGINT NOT NULL,
    waiting    BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (event_id, revision)
);

-- By slug, not by key: who deleted an event must be found after it is gone.
CREATE TABLE audit (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug     TEXT   COLLATE "C" NOT NULL,
    at       BIGINT NOT NULL,
    who      TEXT   NOT NULL,
    action   TEXT   NOT NULL,
    "before" JSONB  NOT NULL,
    "after"  JSONB  NOT NULL
);

CREATE INDEX audit_slug ON audit (slug, id);

CREATE TABLE announcements (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id BIGINT NOT NULL REFERENCES events (id),
    text     TEXT   NOT NULL,
    at       BIGINT NOT NULL
);

CREATE INDEX announcements_event ON announcements (event_id);

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Console sessions by the digest of their secret.
CREATE TABLE sessions (
    digest     TEXT   PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
