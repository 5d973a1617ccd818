-- How often a refund was refused: some test cards count it.
ALTER TABLE payment_intent ADD COLUMN refunds_refused integer NOT NULL DEFAULT 0;

-- Refunds that the bank sent back. No money moved, so the ledger has none of them.
CREATE TABLE failed_refund (
  object_id         text        PRIMARY KEY,
  payment_intent_id text        NOT NULL REFERENCES payment_intent,
  why               text        NOT NULL,
  created_at        timestamptz NOT NULL
);
CREATE INDEX failed_refund_payment_intent ON failed_refund (payment_intent_id);
