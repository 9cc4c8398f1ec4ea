-- What an event asks of everybody who registers, and what people answered. Both are JSON texts that only the program reads. Nodes of
-- version 0.1.0 leave both columns alone.

ALTER TABLE events ADD COLUMN questions TEXT NOT NULL DEFAULT '[]';

-- NULL when nothing was answered.
ALTER TABLE registrations ADD COLUMN answers TEXT;
