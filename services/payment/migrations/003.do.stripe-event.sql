-- Events that Stripe's webhooks told us of: what they are about, never what they say. A row is a reason to ask Stripe.
CREATE TABLE stripe_event (
  event_id text PRIMARY KEY,
  type text NOT NULL,
  payment_intent_id text NOT NULL,
  receive_time timestamptz NOT NULL,
  -- When it is next taken up; NULL once it has had its effect.
  due_time timestamptz,
  tries integer NOT NULL DEFAULT 0,
  done_time timestamptz
) WITH (fillfactor = 70);
CREATE INDEX stripe_event_due ON stripe_event (due_time) WHERE due_time IS NOT NULL;
CREATE INDEX stripe_event_done ON stripe_event (done_time) WHERE done_time IS NOT NULL;
