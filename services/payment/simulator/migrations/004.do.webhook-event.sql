-- Events that the shop has yet to be told. Written with what they tell of, deleted when they have arrived.
CREATE TABLE webhook_event (
  id              text        PRIMARY KEY,
  -- The body to the byte: each attempt sends the same.
  payload         text        NOT NULL,
  created_at      timestamptz NOT NULL,
  -- When it is sent next. One that is being sent has its lease in here.
  due_at          timestamptz NOT NULL,
  attempts        integer     NOT NULL DEFAULT 0,
  -- More than 1 where the simulator delivers twice on purpose.
  deliveries_left integer     NOT NULL CHECK (deliveries_left > 0)
);
CREATE INDEX webhook_event_due ON webhook_event (due_at);
