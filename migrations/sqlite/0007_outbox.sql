-- Mail and webhook deliveries, written in the transaction that causes them. Nodes of version 0.1.0 leave these tables alone.

CREATE TABLE outbox (
    -- AUTOINCREMENT: a Message-ID contains the key, so a key is never used again.
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    -- `mail`, `fanout` (becomes one mail for each registration) or `webhook`.
    channel      TEXT    NOT NULL,
    -- The kind of mail, or the type of webhook.
    kind         TEXT    NOT NULL,
    -- Lanes take turns and have budgets: the event of a mail, the target of a webhook.
    lane         INTEGER NOT NULL,
    -- 0 for no event. No reference: what was sent about a deleted event counts against the budgets until it is pruned.
    event_id     INTEGER NOT NULL,
    -- The registration, if there is one. A fan-out has a round only.
    round        INTEGER,
    number       INTEGER,
    webhook_id   INTEGER,
    -- A keyed digest of the address, or what `webhook` rows choose. Rows with the same recipient are sent in order.
    recipient    TEXT    NOT NULL,
    language     TEXT    NOT NULL DEFAULT '',
    -- JSON, without names, addresses and answers in a mail.
    payload      TEXT    NOT NULL DEFAULT '{}',
    -- The last registration that a fan-out has become a mail for.
    progress     INTEGER NOT NULL DEFAULT 0,
    -- At most one row has this, whichever node writes it.
    once_key     TEXT,
    created_at   INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    -- When the first attempt was made: retries end some time after it.
    attempted_at INTEGER,
    leased_until INTEGER NOT NULL DEFAULT 0,
    leased_by    TEXT    NOT NULL DEFAULT '',
    -- `waiting`, `sent`, `failed` or `dropped`.
    state        TEXT    NOT NULL DEFAULT 'waiting',
    error        TEXT,
    finished_at  INTEGER
) STRICT;

CREATE INDEX outbox_due ON outbox (channel, lane, due_at, id) WHERE state = 'waiting';
CREATE INDEX outbox_order ON outbox (recipient, id) WHERE state = 'waiting';
CREATE INDEX outbox_leased ON outbox (leased_until) WHERE state = 'waiting' AND leased_until > 0;
CREATE INDEX outbox_finished ON outbox (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX outbox_recipient ON outbox (recipient, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX outbox_people ON outbox (event_id, round, number) WHERE channel = 'webhook' AND number IS NOT NULL;
CREATE INDEX outbox_webhook ON outbox (webhook_id, id) WHERE webhook_id IS NOT NULL;
CREATE UNIQUE INDEX outbox_once ON outbox (once_key) WHERE once_key IS NOT NULL;

-- Addresses that a mail server refused for good, by the same digest.
CREATE TABLE refused_addresses (
    recipient TEXT    NOT NULL PRIMARY KEY,
    at        INTEGER NOT NULL,
    error     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
