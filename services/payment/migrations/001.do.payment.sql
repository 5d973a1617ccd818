CREATE TABLE payment (
  order_id text PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('PROCESSING', 'COMPLETED', 'FAILED', 'REFUNDED')),
  amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
  currency text NOT NULL,
  payment_method text NOT NULL,
  payment_intent_id text,
  decline_code text,
  create_time timestamptz NOT NULL DEFAULT now(),
  update_time timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
