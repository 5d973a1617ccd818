-- One row a saga. `due_time` is both lease and timer: whoever finds a row that is due
-- may take it, by raising `fence` and moving `due_time` ahead; from then on writes
-- under the old fence change nothing.
CREATE TABLE saga (
  saga_id text PRIMARY KEY,
  definition text NOT NULL,
  status text NOT NULL CHECK (status IN ('RUNNING', 'COMPENSATING', 'COMPLETED', 'FAILED', 'STUCK')),
  -- Index of the step to run next, forward or in reverse.
  step integer NOT NULL,
  -- Tries of that step so far.
  attempt integer NOT NULL,
  state jsonb NOT NULL,
  failure jsonb,
  fence bigint NOT NULL,
  due_time timestamptz NOT NULL,
  -- W3C traceparent of the request that began it.
  trace_parent text,
  create_time timestamptz NOT NULL DEFAULT now(),
  update_time timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

CREATE INDEX saga_due ON saga (due_time) WHERE status IN ('RUNNING', 'COMPENSATING');
