-- Events written in the transaction of the change they announce. A relay publishes
-- them in the order of `position` within one key.
CREATE TABLE outbox (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id text NOT NULL UNIQUE,
  type text NOT NULL,
  key text NOT NULL,
  payload jsonb NOT NULL,
  -- W3C traceparent of the span that wrote the event.
  trace_parent text,
  create_time timestamptz NOT NULL DEFAULT now()
);
