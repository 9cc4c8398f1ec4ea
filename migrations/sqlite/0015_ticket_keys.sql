-- The keys of TLS session tickets. Nodes of version 0.1.0 leave them alone and keep keys of their own. Backups and copies leave them out:
-- somebody with a key can take over the sessions that its tickets resume.
CREATE TABLE ticket_keys (
    -- Two nodes that draw a key at the same moment draw the same number, so only one is stored.
    number    INTEGER PRIMARY KEY,
    -- 16 bytes; each ticket begins with them.
    name      BLOB    NOT NULL,
    -- 32 bytes.
    secret    BLOB    NOT NULL,
    used_from INTEGER NOT NULL
) STRICT;
