-- How counts and watchers developed. `step` is the length of a step in milliseconds (a minute, an hour, a day) and `at` its start.
-- Without foreign keys: a node of 0.1.0 deletes events and does not know these tables. Rows of deleted events are pruned.

-- Whether anybody may see them.
ALTER TABLE events ADD COLUMN public_chart INTEGER NOT NULL DEFAULT 0 CHECK (public_chart IN (0, 1));

-- Up to which revision the change log is added up, and the state there.
CREATE TABLE series_progress (
    event_id   INTEGER NOT NULL PRIMARY KEY,
    revision   INTEGER NOT NULL CHECK (revision >= 0),
    round      INTEGER NOT NULL,
    registered INTEGER NOT NULL,
    waiting    INTEGER NOT NULL,
    cancelled  INTEGER NOT NULL,
    -- People who cancelled in archived rounds, as JSON: {"1": 12}. A reset may be undone.
    archived   TEXT    NOT NULL
) STRICT;

-- The counts at the end of each step in which something changed.
CREATE TABLE series (
    event_id   INTEGER NOT NULL,
    step       INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    registered INTEGER NOT NULL,
    waiting    INTEGER NOT NULL,
    cancelled  INTEGER NOT NULL,
    capacity   INTEGER,
    PRIMARY KEY (event_id, step, at)
) STRICT, WITHOUT ROWID;

-- The most people who watched in a step, over all nodes. A step without watchers has no row.
CREATE TABLE series_watching (
    event_id INTEGER NOT NULL,
    step     INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    watching INTEGER NOT NULL CHECK (watching > 0),
    PRIMARY KEY (event_id, step, at)
) STRICT, WITHOUT ROWID;

-- The steps in which watchers were counted, whatever their number.
CREATE TABLE series_sampled (
    step INTEGER NOT NULL,
    at   INTEGER NOT NULL,
    PRIMARY KEY (step, at)
) STRICT, WITHOUT ROWID;
