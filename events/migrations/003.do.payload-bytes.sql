-- How much an event has as text: what is stored is compressed, and says little of what a
-- batch takes in memory. Null in rows of the version before.
ALTER TABLE outbox ADD COLUMN payload_bytes integer;
