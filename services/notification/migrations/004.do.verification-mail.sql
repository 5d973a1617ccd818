-- Mails that verify an address and are to be sent. What they say is asked for when they are sent: no code stands here.
CREATE TABLE verification_mail (
  verification_id text PRIMARY KEY,
  -- When somebody takes it up: at the next try, or once the lease of whoever has it ran out.
  due_time timestamptz NOT NULL DEFAULT now(),
  -- How often it was taken up.
  attempt integer NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE INDEX verification_mail_due ON verification_mail (due_time);
