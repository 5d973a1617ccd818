-- A refund as it is now: it may be a part of the payment, and may settle some time after it was asked for.
CREATE TABLE refund (
  id                text        PRIMARY KEY,
  payment_intent_id text        NOT NULL REFERENCES payment_intent,
  amount            bigint      NOT NULL CHECK (amount > 0),
  currency          text        NOT NULL,
  status            text        NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
  -- Why the bank sent it back.
  failure_reason    text        CHECK ((failure_reason IS NOT NULL) = (status = 'failed')),
  metadata          jsonb       NOT NULL DEFAULT '{}',
  created_at        timestamptz NOT NULL,
  -- What becomes of it and when; NULL once it has.
  settles_at        timestamptz,
  settles_as        text        CHECK (settles_as IN ('succeeded', 'failed')),
  CHECK ((settles_at IS NULL) = (settles_as IS NULL))
);
CREATE INDEX refund_payment_intent ON refund (payment_intent_id);
CREATE INDEX refund_settles ON refund (settles_at) WHERE settles_at IS NOT NULL;

INSERT INTO refund (id, payment_intent_id, amount, currency, status, created_at)
SELECT object_id, payment_intent_id, amount, currency, 'succeeded', created_at FROM ledger WHERE kind = 'refund';
INSERT INTO refund (id, payment_intent_id, amount, currency, status, failure_reason, created_at)
SELECT object_id, payment_intent_id, amount, currency, 'failed', why, failed_refund.created_at
FROM failed_refund JOIN payment_intent ON payment_intent.id = payment_intent_id;

-- A refund that fails after it had succeeded brings the money back: an entry of its own, for rows are only ever added.
ALTER TABLE ledger DROP CONSTRAINT ledger_kind_check;
ALTER TABLE ledger ADD CONSTRAINT ledger_kind_check CHECK (kind IN ('capture', 'refund', 'refund_failure'));

-- Search by the order that a payment is for.
CREATE INDEX payment_intent_order ON payment_intent ((metadata->>'order_id'), id);
