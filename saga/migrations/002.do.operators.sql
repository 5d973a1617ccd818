ALTER TABLE saga
  -- What it is about, such as the id of an order; several sagas may be about one.
  ADD COLUMN subject text NOT NULL DEFAULT '',
  -- Set by whoever wants it undone; the next `advance` turns the saga round.
  ADD COLUMN cancellation jsonb,
  -- Failed tries of the step that were no outage.
  ADD COLUMN refusals integer NOT NULL DEFAULT 0,
  -- Why the last try failed.
  ADD COLUMN last_error jsonb,
  -- Index of the step at which it turned round.
  ADD COLUMN turned_at integer;

UPDATE saga SET subject = saga_id;

CREATE INDEX saga_of_subject ON saga (subject);
CREATE INDEX saga_stuck ON saga (saga_id) WHERE status = 'STUCK';

-- What operators did to stuck sagas, and why.
CREATE TABLE saga_intervention (
  saga_id text NOT NULL REFERENCES saga,
  time timestamptz NOT NULL DEFAULT clock_timestamp(),
  kind text NOT NULL CHECK (kind IN ('RETRY', 'RESOLVE')),
  step integer NOT NULL,
  who text NOT NULL,
  why text NOT NULL,
  PRIMARY KEY (saga_id, time)
);
