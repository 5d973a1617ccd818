-- Events of a payment intent name their order, and so its payment is found without a search.
ALTER TABLE stripe_event ADD COLUMN order_id text;

-- NOT VALID: rows of before are not read for it, under no lock; each is checked when it next changes.
ALTER TABLE payment
  ADD CONSTRAINT payment_captured_under_id CHECK (state NOT IN ('COMPLETED', 'REFUNDED') OR payment_intent_id IS NOT NULL) NOT VALID,
  ADD CONSTRAINT payment_failed_says_why CHECK ((state = 'FAILED') = (decline_code IS NOT NULL)) NOT VALID;

-- What is set once is neither changed nor taken away. `<>` is not true where one side is NULL, so it would let that pass.
CREATE TRIGGER payment_set_once BEFORE UPDATE ON payment FOR EACH ROW
  WHEN (OLD.create_time <> NEW.create_time
    OR (OLD.payment_intent_id IS NOT NULL AND OLD.payment_intent_id IS DISTINCT FROM NEW.payment_intent_id)
    OR (OLD.decline_code IS NOT NULL AND OLD.decline_code IS DISTINCT FROM NEW.decline_code))
  EXECUTE FUNCTION refuse_change('the time of its creation, card company''s id and decline code never change');
CREATE TRIGGER payment_kept BEFORE DELETE ON payment FOR EACH ROW EXECUTE FUNCTION refuse_change('payments are kept');

CREATE TRIGGER refund_set_once BEFORE UPDATE ON refund FOR EACH ROW
  WHEN (OLD.create_time <> NEW.create_time
    OR (OLD.stripe_refund_id IS NOT NULL AND OLD.stripe_refund_id IS DISTINCT FROM NEW.stripe_refund_id)
    OR (OLD.failure IS NOT NULL AND OLD.failure IS DISTINCT FROM NEW.failure))
  EXECUTE FUNCTION refuse_change('the time of its creation, card company''s id and failure never change');

-- As before, for a program that knows of no refunds; but the money of a part that was only asked for has not gone back,
-- and then the payment is not REFUNDED.
CREATE OR REPLACE FUNCTION write_refund() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE refund SET state = 'SUCCEEDED', update_time = now() WHERE refund_id = 'whole.' || NEW.order_id AND state = 'REQUESTED';
  INSERT INTO refund (refund_id, order_id, amount_minor, state, reason, ask_time, create_time, update_time)
  SELECT 'whole.' || NEW.order_id, NEW.order_id, NEW.amount_minor - NEW.refund_held_minor, 'SUCCEEDED', '', now(), now(), now()
  WHERE NEW.refund_held_minor < NEW.amount_minor
  ON CONFLICT (refund_id) DO NOTHING;
  IF (SELECT refunded_minor < amount_minor FROM payment WHERE order_id = NEW.order_id) THEN
    RAISE EXCEPTION 'payment of order %: not all of it has gone back', NEW.order_id USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
