-- Events whose effect is in this schema, or that are dead letters: one that comes again has
-- none. The key is what makes a second delivery wait for the first, and lose. Ids are UUIDv7
-- and so in the order of time: the sweep finds the old ones by the same index.
CREATE TABLE inbox (
  for_group text NOT NULL,
  event_id text NOT NULL,
  time timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (for_group, event_id)
);

-- Swept in step with what comes in.
ALTER TABLE inbox SET (autovacuum_vacuum_scale_factor = 0.02);

-- Events that a group could not handle, whole, with the reason, until somebody decides.
CREATE TABLE dead_letter (
  dead_letter_id text PRIMARY KEY,
  for_group text NOT NULL,
  event_id text NOT NULL,
  source text NOT NULL,
  type text NOT NULL,
  subject text NOT NULL,
  event_time timestamptz NOT NULL,
  data jsonb NOT NULL,
  trace_parent text,
  -- Why the last try failed.
  reason text NOT NULL,
  message text NOT NULL,
  -- Of all tries, replays included.
  tries integer NOT NULL,
  -- DUE: to be handled again, by whichever instance finds it.
  status text NOT NULL DEFAULT 'DEAD' CHECK (status IN ('DEAD', 'DUE', 'REPLAYED', 'DISCARDED')),
  -- Who replayed or discarded it, and why.
  who text,
  why text,
  create_time timestamptz NOT NULL DEFAULT now(),
  update_time timestamptz NOT NULL DEFAULT now(),
  UNIQUE (for_group, event_id)
);

CREATE INDEX dead_letter_open ON dead_letter (for_group, dead_letter_id) WHERE status IN ('DEAD', 'DUE');
