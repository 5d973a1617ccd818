ALTER TABLE orders ADD COLUMN tracking_number text NOT NULL DEFAULT '';

-- Wider than before, so that old rows fit; old programs never write the new state.
ALTER TABLE orders DROP CONSTRAINT orders_state_check;
ALTER TABLE orders ADD CONSTRAINT orders_state_check
  CHECK (state IN ('PENDING', 'CONFIRMED', 'FAILED', 'CANCELLING', 'CANCELLED'));
