-- What of the amount is on its way back or back already, and what of that the card company has taken on. Kept by the
-- trigger on `refund` alone, so no program can count wrong, nor give back more than was captured.
ALTER TABLE payment
  ADD COLUMN refund_held_minor bigint NOT NULL DEFAULT 0,
  ADD COLUMN refunded_minor bigint NOT NULL DEFAULT 0,
  -- When the reconciler asks the card company about a payment that is still PROCESSING, and how often it has.
  ADD COLUMN check_time timestamptz NOT NULL DEFAULT now() + interval '30 seconds',
  ADD COLUMN checks integer NOT NULL DEFAULT 0,
  -- W3C traceparent of the charge: what becomes of it later belongs to its trace.
  ADD COLUMN trace_parent text;

UPDATE payment SET refund_held_minor = amount_minor, refunded_minor = amount_minor WHERE state = 'REFUNDED';

ALTER TABLE payment
  ADD CONSTRAINT payment_refund_held CHECK (refund_held_minor BETWEEN 0 AND amount_minor),
  ADD CONSTRAINT payment_refunded CHECK (refunded_minor BETWEEN 0 AND refund_held_minor),
  ADD CONSTRAINT payment_refund_of_captured CHECK (refund_held_minor = 0 OR state IN ('COMPLETED', 'REFUNDED'));

CREATE INDEX payment_unsettled ON payment (check_time) WHERE state = 'PROCESSING';

-- One row for each refund. A row written as REQUESTED holds its amount before the card company is asked.
CREATE TABLE refund (
  -- Of a part: its caller's key. Of the rest: `whole.` and the order. Of one that was made by hand: the card company's id.
  refund_id text PRIMARY KEY,
  order_id text NOT NULL REFERENCES payment,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  state text NOT NULL CHECK (state IN ('REQUESTED', 'PENDING', 'SUCCEEDED', 'FAILED')),
  reason text NOT NULL,
  stripe_refund_id text UNIQUE,
  -- Why it FAILED.
  failure text,
  -- A part of the key it is asked for by: another one after each refusal.
  attempt integer NOT NULL DEFAULT 1,
  -- When that key was first used.
  ask_time timestamptz NOT NULL,
  -- When the reconciler looks at it; NULL when nothing new is expected of it.
  check_time timestamptz,
  checks integer NOT NULL DEFAULT 0,
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL,
  CHECK ((state = 'FAILED') = (failure IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX refund_order ON refund (order_id);
CREATE INDEX refund_unsettled ON refund (check_time) WHERE check_time IS NOT NULL;

INSERT INTO refund (refund_id, order_id, amount_minor, state, reason, ask_time, create_time, update_time)
SELECT 'whole.' || order_id, order_id, amount_minor, 'SUCCEEDED', '', update_time, update_time, update_time FROM payment WHERE state = 'REFUNDED';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of %: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;

CREATE TRIGGER payment_birth BEFORE INSERT ON payment FOR EACH ROW
  WHEN (NEW.state NOT IN ('PROCESSING', 'FAILED') OR NEW.refund_held_minor <> 0 OR NEW.refunded_minor <> 0)
  EXECUTE FUNCTION refuse_change('a payment begins as PROCESSING, or as FAILED');
CREATE TRIGGER payment_transition BEFORE UPDATE ON payment FOR EACH ROW
  WHEN (OLD.state <> NEW.state
    AND (OLD.state, NEW.state) NOT IN (('PROCESSING', 'COMPLETED'), ('PROCESSING', 'FAILED'), ('COMPLETED', 'REFUNDED')))
  EXECUTE FUNCTION refuse_change('no such transition');
CREATE TRIGGER payment_identity BEFORE UPDATE ON payment FOR EACH ROW
  WHEN ((OLD.order_id, OLD.amount_minor, OLD.currency, OLD.payment_method) <> (NEW.order_id, NEW.amount_minor, NEW.currency, NEW.payment_method)
    OR OLD.payment_intent_id <> NEW.payment_intent_id)
  EXECUTE FUNCTION refuse_change('order, amount, method and card company''s id never change');
-- Depth 0 is a program's own statement; the trigger on `refund` is deeper.
CREATE TRIGGER payment_counters BEFORE UPDATE ON payment FOR EACH ROW
  WHEN (pg_trigger_depth() = 0 AND (OLD.refund_held_minor, OLD.refunded_minor) <> (NEW.refund_held_minor, NEW.refunded_minor))
  EXECUTE FUNCTION refuse_change('only refunds change what was given back');

-- A program of before this table moves a payment to REFUNDED and writes no refund: it is written for it.
CREATE FUNCTION write_refund() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO refund (refund_id, order_id, amount_minor, state, reason, ask_time, create_time, update_time)
  VALUES ('whole.' || NEW.order_id, NEW.order_id, NEW.amount_minor - NEW.refund_held_minor, 'SUCCEEDED', '', now(), now(), now())
  ON CONFLICT (refund_id) DO UPDATE SET state = 'SUCCEEDED', update_time = now() WHERE refund.state = 'REQUESTED';
  RETURN NULL;
END $$;
CREATE TRIGGER payment_refunded_alone AFTER UPDATE ON payment FOR EACH ROW
  WHEN (pg_trigger_depth() = 0 AND OLD.state = 'COMPLETED' AND NEW.state = 'REFUNDED')
  EXECUTE FUNCTION write_refund();

CREATE TRIGGER refund_birth BEFORE INSERT ON refund FOR EACH ROW WHEN (NEW.state = 'FAILED')
  EXECUTE FUNCTION refuse_change('a refund does not begin as FAILED');
CREATE TRIGGER refund_transition BEFORE UPDATE ON refund FOR EACH ROW
  WHEN (OLD.state <> NEW.state
    AND (OLD.state, NEW.state) NOT IN (
      ('REQUESTED', 'PENDING'), ('REQUESTED', 'SUCCEEDED'), ('REQUESTED', 'FAILED'),
      ('PENDING', 'SUCCEEDED'), ('PENDING', 'FAILED'), ('SUCCEEDED', 'FAILED')))
  EXECUTE FUNCTION refuse_change('no such transition');
CREATE TRIGGER refund_identity BEFORE UPDATE ON refund FOR EACH ROW
  WHEN ((OLD.refund_id, OLD.order_id) <> (NEW.refund_id, NEW.order_id) OR OLD.stripe_refund_id <> NEW.stripe_refund_id
    OR (OLD.amount_minor <> NEW.amount_minor AND OLD.state <> 'REQUESTED'))
  EXECUTE FUNCTION refuse_change('order and card company''s id never change, nor the amount once it is known');
CREATE TRIGGER refund_kept BEFORE DELETE ON refund FOR EACH ROW EXECUTE FUNCTION refuse_change('refunds are kept');

-- Adds up what is held and what is given back, under the lock of the payment's row; the checks there bound both.
CREATE FUNCTION count_refund() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  held bigint := CASE WHEN NEW.state = 'FAILED' THEN 0 ELSE NEW.amount_minor END;
  given bigint := CASE WHEN NEW.state IN ('PENDING', 'SUCCEEDED') THEN NEW.amount_minor ELSE 0 END;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    held := held - CASE WHEN OLD.state = 'FAILED' THEN 0 ELSE OLD.amount_minor END;
    given := given - CASE WHEN OLD.state IN ('PENDING', 'SUCCEEDED') THEN OLD.amount_minor ELSE 0 END;
  END IF;
  IF held = 0 AND given = 0 THEN RETURN NULL; END IF;
  UPDATE payment SET
    refund_held_minor = refund_held_minor + held,
    refunded_minor = refunded_minor + given,
    state = CASE WHEN state = 'COMPLETED' AND refunded_minor + given = amount_minor THEN 'REFUNDED' ELSE state END,
    update_time = NEW.update_time
  WHERE order_id = NEW.order_id;
  RETURN NULL;
END $$;
CREATE TRIGGER refund_counted AFTER INSERT OR UPDATE ON refund FOR EACH ROW EXECUTE FUNCTION count_refund();
