-- What an event asks of everybody who registers, and what people answered. Both are JSON, without CHECKs: a function call would make
-- SQLite keep a journal for every statement of a batch.

ALTER TABLE events ADD COLUMN questions TEXT NOT NULL DEFAULT '[]';

-- NULL when nothing was answered.
ALTER TABLE registrations ADD COLUMN answers TEXT;
