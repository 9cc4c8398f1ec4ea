-- A foreign key looks up and locks the event once for each new row: a ninth of the time of a batch, all of whose rows belong to the one
-- event that it holds locked. The statements that insert take the event's row with them and count what they have inserted
-- (src/store/postgres.rs); an INSERT by hand is not refused any more. What would leave registrations behind without their event still is.

-- In the order in which every batch takes them: a node that serves meanwhile waits, and neither waits for the other.
LOCK TABLE events, registrations IN ACCESS EXCLUSIVE MODE;

ALTER TABLE registrations DROP CONSTRAINT registrations_event_id_fkey;

CREATE FUNCTION registrations_stay_with_their_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE foreign_key_violation USING MESSAGE = 'a registration stays with its event', TABLE = TG_TABLE_NAME;
END
$$;
CREATE TRIGGER registrations_stay_with_their_event BEFORE UPDATE OF event_id ON registrations
    FOR EACH ROW EXECUTE FUNCTION registrations_stay_with_their_event();

CREATE FUNCTION events_outlive_their_registrations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM registrations WHERE event_id = OLD.id) THEN
        RAISE foreign_key_violation USING MESSAGE = 'an event with registrations cannot be deleted', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER events_outlive_their_registrations BEFORE DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION events_outlive_their_registrations();

CREATE FUNCTION events_are_not_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM registrations) THEN
        RAISE foreign_key_violation USING MESSAGE = 'events with registrations cannot be deleted', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER events_are_not_emptied BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_are_not_emptied();
