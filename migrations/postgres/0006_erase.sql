-- Erasing what people said about themselves. Nodes of version 0.1.0 leave both columns alone, and show an erased person without a name.

-- Days after `ends_at`; NULL to keep everything.
ALTER TABLE events ADD COLUMN erase_after_days BIGINT CHECK (erase_after_days BETWEEN 1 AND 3650);

-- The planner's samples of a column outlive the values, and no statement needs samples of these. A change of type, to the same type,
-- drops those taken so far and rewrites nothing.
ALTER TABLE registrations
    ALTER COLUMN name TYPE TEXT, ALTER COLUMN name SET STATISTICS 0,
    ALTER COLUMN search_key TYPE TEXT, ALTER COLUMN search_key SET STATISTICS 0,
    ALTER COLUMN email TYPE TEXT, ALTER COLUMN email SET STATISTICS 0,
    ALTER COLUMN email_key TYPE TEXT COLLATE "C", ALTER COLUMN email_key SET STATISTICS 0,
    ALTER COLUMN idempotency_key TYPE TEXT COLLATE "C", ALTER COLUMN idempotency_key SET STATISTICS 0,
    ALTER COLUMN answers TYPE TEXT, ALTER COLUMN answers SET STATISTICS 0;

-- `email_key` is `#` with the number of an erased registration: no address is like that, and the unique index holds for everybody.
ALTER TABLE registrations ADD COLUMN erased_at BIGINT CHECK (
    erased_at IS NULL
    OR (name = '' AND email = '' AND email_key = '#' || number AND search_key = '' AND idempotency_key IS NULL AND answers IS NULL)
);
