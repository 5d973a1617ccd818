-- What the programs do anyway, also before this file: it stops whoever else writes here, and mistakes of later programs.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of %: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;

CREATE TRIGGER order_birth BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.state <> 'PENDING')
  EXECUTE FUNCTION refuse_change('an order begins as PENDING');
CREATE TRIGGER order_transition BEFORE UPDATE ON orders FOR EACH ROW
  WHEN (OLD.state <> NEW.state
    AND (OLD.state, NEW.state) NOT IN (
      ('PENDING', 'CONFIRMED'), ('PENDING', 'FAILED'), ('PENDING', 'CANCELLED'),
      ('CONFIRMED', 'CANCELLING'), ('CANCELLING', 'CANCELLED'), ('CANCELLING', 'CONFIRMED')))
  EXECUTE FUNCTION refuse_change('no such transition');
-- What was bought, by whom and for how much never changes: the card was charged for it.
CREATE TRIGGER order_identity BEFORE UPDATE ON orders FOR EACH ROW
  WHEN ((OLD.order_id, OLD.user_id, OLD.total_minor, OLD.currency, OLD.payment_method, OLD.lines)
    IS DISTINCT FROM (NEW.order_id, NEW.user_id, NEW.total_minor, NEW.currency, NEW.payment_method, NEW.lines))
  EXECUTE FUNCTION refuse_change('buyer, total, method and lines never change');
