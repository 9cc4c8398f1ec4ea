-- Who finds an event, and whether it is in the archive. An archived event is closed as well, so that nodes of version 0.1.0 close it
-- too. They know no drafts: they show one to everybody who has its address.

ALTER TABLE events ADD COLUMN visibility TEXT NOT NULL DEFAULT 'public' CHECK (visibility IN ('public', 'unlisted', 'draft'));
ALTER TABLE events ADD COLUMN archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1));
