import type { ServiceName } from './contracts.ts';

const OUTBOX = `
  CREATE TABLE outbox (id bigserial PRIMARY KEY, event_id text NOT NULL UNIQUE, type text NOT NULL, subject text NOT NULL,
    payload jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), published_at timestamptz);
  CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL;`;

/** The tables of each service's database. */
export const SCHEMAS: Readonly<Record<ServiceName, string>> = {
  user: 'CREATE TABLE users (user_id text PRIMARY KEY, email text NOT NULL, display_name text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());',
  product: 'CREATE TABLE products (product_id text PRIMARY KEY, name text NOT NULL, price_minor bigint NOT NULL, currency text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());',
  inventory: `
    CREATE TABLE stock (product_id text PRIMARY KEY, available bigint NOT NULL CHECK (available >= 0), reserved bigint NOT NULL DEFAULT 0, sold bigint NOT NULL DEFAULT 0);
    CREATE TABLE reservation (order_id text PRIMARY KEY, state text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE reservation_line (order_id text NOT NULL REFERENCES reservation, product_id text NOT NULL REFERENCES stock, quantity integer NOT NULL, PRIMARY KEY (order_id, product_id));`,
  payment: `
    CREATE TABLE payment (order_id text PRIMARY KEY, state text NOT NULL, amount_minor bigint NOT NULL, currency text NOT NULL, payment_method text NOT NULL,
      payment_intent_id text, decline_code text, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
    ${OUTBOX}`,
  shipping: `
    CREATE TABLE shipment (shipment_id text PRIMARY KEY, order_id text NOT NULL UNIQUE, state text NOT NULL, tracking_number text, address jsonb NOT NULL, lines jsonb NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE carrier_booking (booking_key text PRIMARY KEY, order_id text NOT NULL, tracking_number text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
    ${OUTBOX}`,
  order: `
    CREATE TABLE idempotency_key (request_id text PRIMARY KEY, request_hash text NOT NULL, order_id text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE orders (order_id text PRIMARY KEY, user_id text NOT NULL, state text NOT NULL, reason text NOT NULL DEFAULT '', total_minor bigint NOT NULL, currency text NOT NULL,
      payment_method text NOT NULL, shipping_address jsonb NOT NULL, tracking_number text NOT NULL DEFAULT '', created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
    CREATE INDEX orders_of_user ON orders (user_id, created_at);
    CREATE TABLE order_line (order_id text NOT NULL REFERENCES orders, product_id text NOT NULL, name text NOT NULL, quantity integer NOT NULL, price_minor bigint NOT NULL, PRIMARY KEY (order_id, product_id));
    CREATE TABLE order_change (order_id text NOT NULL REFERENCES orders, sequence integer NOT NULL, state text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (order_id, sequence));
    CREATE TABLE saga (order_id text PRIMARY KEY REFERENCES orders, status text NOT NULL, step integer NOT NULL, state jsonb NOT NULL, updated_at timestamptz NOT NULL DEFAULT now());
    CREATE INDEX saga_open ON saga (updated_at) WHERE status <> 'DONE';
    ${OUTBOX}`,
  notification: `
    CREATE TABLE inbox (event_id text PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE notice (event_id text PRIMARY KEY, type text NOT NULL, subject text NOT NULL, body text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());`,
};
