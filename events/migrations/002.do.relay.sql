ALTER TABLE outbox
  -- The service it comes from: schemas are called like their services.
  ADD COLUMN source text NOT NULL DEFAULT current_schema(),
  -- When it happened. Null in rows from before this column: those happened when they were written.
  ADD COLUMN event_time timestamptz,
  -- Why the bus will never take it. The relay passes over such a row, and it stays.
  ADD COLUMN refused text;

-- A row is removed once it is published, so the table is small and all its pages are
-- used again and again: vacuum after some thousand rows, however few or many are left.
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_insert_threshold = -1);

-- One row: which relay works on this outbox, and whether it has to be woken.
CREATE TABLE outbox_relay (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  holder text NOT NULL DEFAULT '',
  lease_until timestamptz NOT NULL DEFAULT '-infinity',
  -- Whoever writes an event while this is set rings: NOTIFY `<schema>_outbox`.
  asleep boolean NOT NULL DEFAULT false
) WITH (fillfactor = 10);

INSERT INTO outbox_relay DEFAULT VALUES;
