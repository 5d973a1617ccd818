CREATE TABLE stock (
  product_id text PRIMARY KEY,
  available bigint NOT NULL CHECK (available >= 0),
  reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  sold bigint NOT NULL DEFAULT 0 CHECK (sold >= 0),
  update_time timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

CREATE TABLE reservation (
  order_id text PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('RESERVED', 'COMMITTED', 'RELEASED')),
  create_time timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

CREATE TABLE reservation_line (
  order_id text NOT NULL REFERENCES reservation,
  product_id text NOT NULL REFERENCES stock,
  quantity integer NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (order_id, product_id)
);
