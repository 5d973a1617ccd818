CREATE TABLE products (
  product_id text PRIMARY KEY,
  name text NOT NULL,
  -- Empty: none.
  category text NOT NULL,
  -- In the smallest unit of the currency.
  price_minor bigint NOT NULL CHECK (price_minor > 0),
  currency text NOT NULL,
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL
);

-- A page of one category, in the order of the ids; the primary key serves the list of all.
CREATE INDEX products_by_category ON products (category, product_id);
