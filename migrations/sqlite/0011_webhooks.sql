-- Where programs of the owner are notified of registrations and of events. Nodes of version 0.1.0 leave the table alone; what they
-- commit is not sent.

CREATE TABLE webhooks (
    -- AUTOINCREMENT: deliveries of a deleted webhook must not appear as those of a new one.
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    url        TEXT    NOT NULL,
    -- The types that it receives, separated by spaces.
    events     TEXT    NOT NULL,
    -- NULL for all events.
    event_id   INTEGER REFERENCES events (id) DEFERRABLE INITIALLY DEFERRED,
    -- The body that the receiver expects, and the language of messages to people.
    format     TEXT    NOT NULL,
    language   TEXT    NOT NULL DEFAULT 'en',
    -- Each delivery is signed with it, so a digest would not do.
    secret     TEXT    NOT NULL,
    active     INTEGER NOT NULL CHECK (active IN (0, 1)),
    -- The receiver answered 410, so that nothing more is sent.
    gone       INTEGER NOT NULL DEFAULT 0 CHECK (gone IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX webhooks_event ON webhooks (event_id);
