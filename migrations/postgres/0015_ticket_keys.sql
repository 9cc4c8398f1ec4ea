-- The keys of TLS session tickets. Nodes of version 0.1.0 leave them alone and keep keys of their own. Backups and copies leave them out:
-- somebody with a key can take over the sessions that its tickets resume. UNLOGGED, so that no key gets into an archive of the log or to a
-- standby; after a crash of the server the nodes draw a new key.
CREATE UNLOGGED TABLE ticket_keys (
    -- Two nodes that draw a key at the same moment draw the same number, so only one is stored.
    number    BIGINT PRIMARY KEY,
    -- 16 bytes; each ticket begins with them.
    name      BYTEA  NOT NULL,
    -- 32 bytes.
    secret    BYTEA  NOT NULL,
    used_from BIGINT NOT NULL
);
