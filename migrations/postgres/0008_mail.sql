-- What mails need to know. Nodes of version 0.1.0 leave these columns alone.

-- Hours before `starts_at`; NULL for no reminder.
ALTER TABLE events ADD COLUMN remind_hours_before BIGINT CHECK (remind_hours_before BETWEEN 1 AND 720);
-- The kinds of mail that are switched off, with spaces in between.
ALTER TABLE events ADD COLUMN mail_off TEXT NOT NULL DEFAULT '';
-- The language in which the person registered; empty for English.
ALTER TABLE registrations ADD COLUMN language TEXT NOT NULL DEFAULT '';
-- When the link was opened that only a mail contains: the address is the person's.
ALTER TABLE registrations ADD COLUMN email_proven_at BIGINT;
-- When the person asked for no more mails to everybody.
ALTER TABLE registrations ADD COLUMN unsubscribed_at BIGINT;
