-- What SetStock has put in, less what it has taken out. Kept apart from the sum it equals,
-- so that the books can be checked against it. An instance of the version before this one
-- does not count a SetStock here; everything else it does is safe beside the new ones.
ALTER TABLE stock ADD COLUMN received bigint NOT NULL DEFAULT 0;
UPDATE stock SET received = available + reserved + sold;

-- The default is for reservations that are there already, and for instances of the version before.
ALTER TABLE reservation ADD COLUMN expire_time timestamptz NOT NULL DEFAULT now() + interval '15 minutes';
ALTER TABLE reservation DROP CONSTRAINT reservation_state_check;
ALTER TABLE reservation ADD CONSTRAINT reservation_state_check
  CHECK (state IN ('RESERVED', 'COMMITTED', 'RELEASED', 'RESTOCKED', 'EXPIRED'));

-- Finds what is due, and holds only what may become due.
CREATE INDEX reservation_due ON reservation (expire_time) WHERE state = 'RESERVED';
