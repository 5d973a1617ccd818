-- What the carrier has agreed to. order_id is not unique: "one shipment for each order" is judged by these rows, not granted by them.
CREATE TABLE carrier_booking (
  booking_key text PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('BOOKED', 'CANCELLED')),
  -- NULL when the key was cancelled before it was booked.
  order_id text,
  tracking_number text UNIQUE,
  time timestamptz NOT NULL,
  CHECK (state = 'CANCELLED' OR (order_id IS NOT NULL AND tracking_number IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX carrier_booking_order ON carrier_booking (order_id);

-- How often a booking was tried at an address where the first tries go wrong.
CREATE TABLE carrier_try (
  booking_key text PRIMARY KEY,
  tries integer NOT NULL
) WITH (fillfactor = 70);
