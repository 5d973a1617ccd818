-- Money is in the currency's smallest unit, as Stripe counts it; currencies are in Stripe's small letters.
CREATE TABLE payment_intent (
  id              text        PRIMARY KEY,
  amount          bigint      NOT NULL CHECK (amount > 0),
  amount_refunded bigint      NOT NULL DEFAULT 0 CHECK (amount_refunded BETWEEN 0 AND amount),
  currency        text        NOT NULL,
  payment_method  text        NOT NULL,
  -- Why the card was declined; NULL when the money was captured.
  decline         jsonb,
  metadata        jsonb       NOT NULL,
  created_at      timestamptz NOT NULL
);

-- Money that moved. Rows are only ever added: they are what "charged once" is read from.
CREATE TABLE ledger (
  entry_id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind              text        NOT NULL CHECK (kind IN ('capture', 'refund')),
  -- The charge (ch_…) or the refund (re_…).
  object_id         text        NOT NULL UNIQUE,
  payment_intent_id text        NOT NULL REFERENCES payment_intent,
  amount            bigint      NOT NULL CHECK (amount > 0),
  currency          text        NOT NULL,
  -- From the payment intent's metadata; NULL when it has none.
  order_id          text,
  created_at        timestamptz NOT NULL
);
CREATE UNIQUE INDEX ledger_capture ON ledger (payment_intent_id) WHERE kind = 'capture';
CREATE INDEX ledger_payment_intent ON ledger (payment_intent_id);
CREATE INDEX ledger_order ON ledger (order_id);

-- The first answer to each idempotency key, repeated to the byte.
CREATE TABLE idempotency_key (
  key         text        PRIMARY KEY,
  -- SHA-256 of method, path and parameters.
  fingerprint bytea       NOT NULL,
  request_id  text        NOT NULL,
  status      integer     NOT NULL,
  body        text        NOT NULL,
  created_at  timestamptz NOT NULL
);
