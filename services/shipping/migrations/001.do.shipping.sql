CREATE TABLE shipment (
  shipment_id text PRIMARY KEY,
  order_id text NOT NULL UNIQUE,
  state text NOT NULL CHECK (state IN ('BOOKING', 'SCHEDULED', 'HANDED_OVER', 'CANCELLING', 'CANCELLED', 'REFUSED')),
  tracking_number text,
  refusal text,
  -- Address and lines never change and are only read with their shipment. NULL: it was called off before it was asked for.
  address jsonb,
  lines jsonb NOT NULL,
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL
) WITH (fillfactor = 70);
