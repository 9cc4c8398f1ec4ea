-- How counts and watchers developed. `step` is the length of a step in milliseconds (a minute, an hour, a day) and `at` its start.
-- Without foreign keys: a node of 0.1.0 deletes events and does not know these tables. Rows of deleted events are pruned.

-- Whether anybody may see them.
ALTER TABLE events ADD COLUMN public_chart BOOLEAN NOT NULL DEFAULT FALSE;

-- Up to which revision the change log is added up, and the state there.
CREATE TABLE series_progress (
    event_id   BIGINT NOT NULL PRIMARY KEY,
    revision   BIGINT NOT NULL CHECK (revision >= 0),
    round      BIGINT NOT NULL,
    registered BIGINT NOT NULL,
    waiting    BIGINT NOT NULL,
    cancelled  BIGINT NOT NULL,
    -- People who cancelled in archived rounds, as JSON: {"1": 12}. A reset may be undone.
    archived   TEXT    NOT NULL
);

-- The counts at the end of each step in which something changed.
CREATE TABLE series (
    event_id   BIGINT NOT NULL,
    step       BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    registered BIGINT NOT NULL,
    waiting    BIGINT NOT NULL,
    cancelled  BIGINT NOT NULL,
    capacity   BIGINT,
    PRIMARY KEY (event_id, step, at)
);

-- The most people who watched in a step, over all nodes. A step without watchers has no row.
CREATE TABLE series_watching (
    event_id BIGINT NOT NULL,
    step     BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    watching BIGINT NOT NULL CHECK (watching > 0),
    PRIMARY KEY (event_id, step, at)
);

-- The steps in which watchers were counted, whatever their number.
CREATE TABLE series_sampled (
    step BIGINT NOT NULL,
    at   BIGINT NOT NULL,
    PRIMARY KEY (step, at)
);
