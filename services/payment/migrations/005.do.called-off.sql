-- A Refund came before it was known what became of the charge: from then on nothing is sent that could charge.
ALTER TABLE payment ADD COLUMN refund_wanted boolean NOT NULL DEFAULT false;

-- Money that the card company took for an order besides its payment, and that went back: the books leave both out.
CREATE TABLE stray_capture (
  payment_intent_id text PRIMARY KEY,
  order_id text NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  currency text NOT NULL,
  return_time timestamptz NOT NULL
);
CREATE INDEX stray_capture_order ON stray_capture (order_id);
