-- The bot check. Nodes of version 0.1.0 leave both alone and ask nobody for a proof.

ALTER TABLE events ADD COLUMN proof_of_work TEXT NOT NULL DEFAULT 'off' CHECK (proof_of_work IN ('off', 'auto', 'on'));

-- Challenges whose solution was used, by their digest, until they expire. `attempt` is a digest of the idempotency key that came with
-- it: the same attempt may be sent again.
CREATE TABLE proofs (
    challenge  TEXT    NOT NULL PRIMARY KEY,
    attempt    TEXT,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX proofs_expires_at ON proofs (expires_at);
