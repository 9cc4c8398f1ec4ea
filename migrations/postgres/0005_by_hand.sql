-- Who added a registration by hand: `console` or `token`; NULL if the person registered. Nodes of 0.1.0 leave it NULL.
--
-- A person whom the organiser adds may have no email address. Nodes of 0.1.0 read the address as a text, so `email` is empty then, and
-- `email_key` is `#` with the number: no address is like that, and the unique index holds for everybody.

ALTER TABLE registrations ADD COLUMN added_by TEXT;
