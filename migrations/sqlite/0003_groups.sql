-- Groups: a registration is for 1 to 20 people, and an event counts people.

ALTER TABLE registrations ADD COLUMN party_size INTEGER NOT NULL DEFAULT 1 CHECK (party_size BETWEEN 1 AND 20);
ALTER TABLE events ADD COLUMN max_party_size INTEGER NOT NULL DEFAULT 1 CHECK (max_party_size BETWEEN 1 AND 20);

-- `last_number` counts registrations, and the counters count people, so its CHECK no longer holds. The CHECK of a column goes with
-- the column: a new one takes its place.
ALTER TABLE events ADD COLUMN new_last_number INTEGER NOT NULL DEFAULT 0;
UPDATE events SET new_last_number = last_number;
ALTER TABLE events DROP COLUMN last_number;
ALTER TABLE events RENAME COLUMN new_last_number TO last_number;

-- People who wait and came with somebody else's registration: `waiting` less the registrations that wait. Its CHECKs are the
-- backstop of all four counters: a registration has 1 to 20 people.
ALTER TABLE events ADD COLUMN waiting_companions INTEGER NOT NULL DEFAULT 0
    CHECK (waiting_companions BETWEEN 0 AND waiting AND last_number * 20 >= registered + waiting);
