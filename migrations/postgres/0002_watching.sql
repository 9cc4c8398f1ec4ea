-- How many watch at each node, so that every watcher is told the number over all of them. It is worth nothing after a few seconds:
-- unlogged, a report waits for no disk, and a crash of the server empties the table, which the nodes fill again.
CREATE UNLOGGED TABLE watching (
    -- Drawn by a process when it starts.
    node     TEXT        COLLATE "C" PRIMARY KEY,
    -- Watchers by event: {"7": 1930}. No foreign key: what is reported of a deleted event is passed over.
    watchers JSONB       NOT NULL,
    -- By this server's clock, which is the one that all nodes share.
    at       TIMESTAMPTZ NOT NULL
    -- Rewritten every other second: room on the page keeps the new version beside the old one.
) WITH (fillfactor = 20);
