-- Groups: a registration is for 1 to 20 people, and an event counts people. The defaults are right for what a node of 0.1.0 writes.

ALTER TABLE registrations ADD COLUMN party_size BIGINT NOT NULL DEFAULT 1 CHECK (party_size BETWEEN 1 AND 20);
ALTER TABLE events ADD COLUMN max_party_size BIGINT NOT NULL DEFAULT 1 CHECK (max_party_size BETWEEN 1 AND 20);

-- People who wait and came with somebody else's registration: `waiting` less the registrations that wait.
ALTER TABLE events ADD COLUMN waiting_companions BIGINT NOT NULL DEFAULT 0 CHECK (waiting_companions BETWEEN 0 AND waiting);

-- `last_number` counts registrations, and the counters count people: a registration has 1 to 20.
ALTER TABLE events DROP CONSTRAINT events_check;
ALTER TABLE events ADD CONSTRAINT events_people_check CHECK (last_number * 20 >= registered + waiting);
