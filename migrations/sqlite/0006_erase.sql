-- Erasing what people said about themselves. Nodes of version 0.1.0 leave both columns alone, and show an erased person without a name.

-- Days after `ends_at`; NULL to keep everything.
ALTER TABLE events ADD COLUMN erase_after_days INTEGER CHECK (erase_after_days BETWEEN 1 AND 3650);

-- `email_key` is `#` with the number of an erased registration: no address is like that, and the unique index holds for everybody.
ALTER TABLE registrations ADD COLUMN erased_at INTEGER CHECK (
    erased_at IS NULL
    OR (name = '' AND email = '' AND email_key = '#' || number AND search_key = '' AND idempotency_key IS NULL AND answers IS NULL)
);
