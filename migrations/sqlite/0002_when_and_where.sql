-- When and where an event takes place. Each column has a default, so that nodes of 0.1.0 can go on writing.

ALTER TABLE events ADD COLUMN starts_at INTEGER;
ALTER TABLE events ADD COLUMN ends_at INTEGER CHECK (ends_at IS NULL OR (starts_at IS NOT NULL AND ends_at > starts_at));
-- An IANA name.
ALTER TABLE events ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
ALTER TABLE events ADD COLUMN location TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN online_url TEXT;
ALTER TABLE events ADD COLUMN contact TEXT NOT NULL DEFAULT '';
-- How often the settings were edited, and when they were last written; NULL for events of 0.1.0.
ALTER TABLE events ADD COLUMN edits INTEGER NOT NULL DEFAULT 0 CHECK (edits >= 0);
ALTER TABLE events ADD COLUMN edited_at INTEGER;
