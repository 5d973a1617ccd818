CREATE TABLE orders (
  order_id text PRIMARY KEY,
  user_id text NOT NULL,
  state text NOT NULL CHECK (state IN ('PENDING', 'CONFIRMED', 'FAILED', 'CANCELLED')),
  reason text NOT NULL DEFAULT '',
  total_minor bigint NOT NULL CHECK (total_minor > 0),
  currency text NOT NULL,
  payment_method text NOT NULL,
  -- Lines and address never change and are only read with their order.
  lines jsonb NOT NULL,
  shipping_address jsonb NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now(),
  update_time timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);

CREATE INDEX orders_of_user ON orders (user_id, order_id DESC);

-- The numbered state changes that WatchOrder streams.
CREATE TABLE order_change (
  order_id text NOT NULL REFERENCES orders,
  sequence bigint NOT NULL,
  state text NOT NULL,
  reason text NOT NULL,
  time timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (order_id, sequence)
);
