-- Whose order it is: only events of orders say so. NULL: another event of the order came first.
CREATE TABLE order_owner (
  order_id text PRIMARY KEY,
  user_id text
) WITH (fillfactor = 80);

CREATE TABLE recipient (
  user_id text PRIMARY KEY,
  -- Categories that are not mailed.
  muted text[] NOT NULL DEFAULT '{}',
  -- Of the last change among the user's notifications.
  last_sequence bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE notification (
  notification_id text PRIMARY KEY,
  event_id text NOT NULL,
  kind text NOT NULL,
  category text NOT NULL,
  order_id text NOT NULL,
  -- NULL while it is PARKED: nobody has said yet whose order it is.
  user_id text,
  sequence bigint,
  subject text NOT NULL,
  body text NOT NULL,
  state text NOT NULL CHECK (state IN ('PARKED', 'PENDING', 'SENDING', 'SENT', 'SUPPRESSED', 'FAILED', 'UNCONFIRMED')),
  reason text NOT NULL DEFAULT '',
  -- Failed tries.
  attempt integer NOT NULL DEFAULT 0,
  -- When somebody takes it up: at the next try, or once the lease of whoever has it ran out.
  due_time timestamptz NOT NULL DEFAULT now(),
  -- One more each time somebody takes it up.
  fence bigint NOT NULL DEFAULT 0,
  -- W3C traceparent of the span that wrote it.
  trace_parent text,
  create_time timestamptz NOT NULL DEFAULT now(),
  sent_time timestamptz,
  UNIQUE (event_id, kind),
  CHECK ((state = 'PARKED') = (user_id IS NULL))
) WITH (fillfactor = 70);

CREATE INDEX notification_of_user ON notification (user_id, notification_id DESC);
CREATE UNIQUE INDEX notification_change ON notification (user_id, sequence);
CREATE INDEX notification_parked ON notification (order_id) WHERE state = 'PARKED';
CREATE INDEX notification_due ON notification (due_time) WHERE state IN ('PENDING', 'SENDING');
