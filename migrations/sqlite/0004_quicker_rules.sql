-- The same table with two of its rules said in another way, which SQLite can change in no other. A list after IN is made into a table of its own for
-- each row that is checked. And a foreign key that is checked at each statement's end keeps a copy of every page that the statement changes, to take
-- back that statement alone; a registration without its event is now refused at the commit.

CREATE TABLE registrations_4 (
    event_id          INTEGER NOT NULL REFERENCES events (id) DEFERRABLE INITIALLY DEFERRED,
    round             INTEGER NOT NULL CHECK (round >= 1),
    number            INTEGER NOT NULL CHECK (number >= 1),
    secret            TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    -- In lower case, for the search: the database's own lower() may know only ASCII.
    name_key          TEXT    NOT NULL,
    email             TEXT    NOT NULL,
    email_key         TEXT    NOT NULL,
    idempotency_key   TEXT,
    status            TEXT    NOT NULL CHECK (status = 'confirmed' OR status = 'waiting' OR status = 'cancelled'),
    accepted_waiting  INTEGER CHECK (accepted_waiting >= 1),
    accepted_revision INTEGER NOT NULL,
    revision          INTEGER NOT NULL CHECK (revision >= accepted_revision),
    at                INTEGER NOT NULL,
    PRIMARY KEY (event_id, round, number)
) STRICT;

INSERT INTO registrations_4 (event_id, round, number, secret, name, name_key, email, email_key, idempotency_key, status, accepted_waiting,
    accepted_revision, revision, at)
SELECT event_id, round, number, secret, name, name_key, email, email_key, idempotency_key, status, accepted_waiting, accepted_revision, revision, at
FROM registrations
ORDER BY event_id, round, number;

DROP TABLE registrations;
ALTER TABLE registrations_4 RENAME TO registrations;

CREATE UNIQUE INDEX registrations_email ON registrations (event_id, round, email_key) WHERE status <> 'cancelled';
CREATE UNIQUE INDEX registrations_key ON registrations (event_id, round, idempotency_key) WHERE idempotency_key IS NOT NULL;
-- With `status` among its columns SQLite prefers it to the primary key.
CREATE INDEX registrations_waiting ON registrations (event_id, round, status, number) WHERE status = 'waiting';
