-- What an address must confirm. Nodes of version 0.1.0 leave both alone.

-- When the name was last typed with the link that no mail contains; NULL again when the mailed link is opened after that. Until then no
-- mail has the name.
ALTER TABLE registrations ADD COLUMN renamed_at BIGINT;

-- Registrations without a proof of work, until the mailed link is opened or they expire. Then the row has no personal data, and names
-- the registration.
CREATE TABLE confirmations (
    -- A link contains the key, and no key is used twice.
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id        BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    -- The link's.
    secret          TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    email           TEXT    NOT NULL,
    -- As addresses are compared; `#` and the key once the link was opened.
    email_key       TEXT    COLLATE "C" NOT NULL,
    party_size      BIGINT NOT NULL,
    -- JSON; NULL for none.
    answers         TEXT,
    language        TEXT    NOT NULL,
    expires_at      BIGINT NOT NULL,
    -- The registration's id once the link was opened.
    registration    TEXT,
    UNIQUE (event_id, email_key)
);

CREATE INDEX confirmations_expires_at ON confirmations (expires_at);
