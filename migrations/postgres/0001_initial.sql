-- Times are milliseconds since 1970 in UTC. The program decides; the CHECKs, indexes and triggers below enforce the same rules as a
-- backstop.

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
    -- Every commit rewrites its event's row: free space keeps the new version on the same page, and the indexes untouched.
) WITH (fillfactor = 20);

-- Archived rounds. The current round is in its event's row.
CREATE TABLE rounds (
    event_id    BIGINT NOT NULL REFERENCES events (id),
    round       BIGINT NOT NULL CHECK (round >= 1),
    capacity    BIGINT CHECK (capacity BETWEEN 0 AND 1000000),
    archived_at BIGINT NOT NULL,
    PRIMARY KEY (event_id, round)
);

-- Without a foreign key: it would look up and lock the event once for each new row, a ninth of the time of a batch, whose rows all
-- belong to the one event that it holds locked. The statement that inserts joins the event's row instead, and counts what it has
-- inserted. The triggers below refuse everything that would leave a registration without its event, except an INSERT by hand.
CREATE TABLE registrations (
    event_id          BIGINT NOT NULL,
    round             BIGINT NOT NULL CHECK (round >= 1),
    number            BIGINT NOT NULL CHECK (number >= 1),
    secret            TEXT   NOT NULL,
    name              TEXT   NOT NULL,
    -- Name and address as a search compares them: databases fold case and accents in ways of their own.
    search_key        TEXT   NOT NULL,
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

-- Their first column is no other index's first column. A plan made while the table was empty would otherwise use the primary key
-- and read the whole round.
CREATE UNIQUE INDEX registrations_email ON registrations (email_key, event_id, round) WHERE status <> 'cancelled';
CREATE UNIQUE INDEX registrations_key ON registrations (idempotency_key, event_id, round) WHERE idempotency_key IS NOT NULL;
CREATE INDEX registrations_waiting ON registrations (event_id, round, status, number) WHERE status = 'waiting';

CREATE FUNCTION registrations_stay_with_their_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE foreign_key_violation USING MESSAGE = 'a registration stays with its event', TABLE = TG_TABLE_NAME;
END
$$;

CREATE TRIGGER registrations_stay_with_their_event BEFORE UPDATE OF event_id ON registrations
    FOR EACH ROW EXECUTE FUNCTION registrations_stay_with_their_event();

CREATE FUNCTION events_outlive_their_registrations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM registrations WHERE event_id = OLD.id) THEN
        RAISE foreign_key_violation USING MESSAGE = 'an event with registrations cannot be deleted', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END
$$;

CREATE TRIGGER events_outlive_their_registrations BEFORE DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION events_outlive_their_registrations();

CREATE FUNCTION events_are_not_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM registrations) THEN
        RAISE foreign_key_violation USING MESSAGE = 'events with registrations cannot be deleted', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER events_are_not_emptied BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_are_not_emptied();

-- The change log: one row for each revision, with the whole count.
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

-- By slug, not by key: who deleted an event must be found afterwards.
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
    at       BIGINT NOT NULL,
    -- A withdrawal is an announcement without text, over at once.
    ends_at  BIGINT NOT NULL CHECK (ends_at >= at)
);

CREATE INDEX announcements_event ON announcements (event_id);

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Sessions of the organiser's console, by the digest of their secret.
CREATE TABLE sessions (
    digest     TEXT   PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

-- How many people watch at each node, so that every watcher sees the sum over all nodes. Unlogged: a report expires after a few
-- seconds, so it need not wait for the disk. A crash of the server empties the table, and the nodes fill it again.
CREATE UNLOGGED TABLE watching (
    -- Drawn at random by a process when it starts.
    node     TEXT        COLLATE "C" PRIMARY KEY,
    -- Watchers by event: {"7": 1930}. No foreign key: readers ignore counts of a deleted event.
    watchers JSONB       NOT NULL,
    -- By this server's clock, the only one that all nodes share.
    at       TIMESTAMPTZ NOT NULL
    -- Rewritten every two seconds: free space keeps the new version on the same page.
) WITH (fillfactor = 20);

-- Submissions of the console's forms, so that a second click acts once; `outcome` is where the first one led. Kept for an hour.
CREATE TABLE forms (
    key     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    outcome TEXT,
    at      BIGINT NOT NULL
);

CREATE INDEX forms_at ON forms (at);
