-- The answer of a request that is answered again with the same bytes; and until when whoever claimed the key may be at
-- work on it. A key of the version before this one has neither, as has one that stands for a resource.
ALTER TABLE idempotency_key ADD COLUMN answer bytea;
ALTER TABLE idempotency_key ADD COLUMN held_until timestamptz;

-- Finds what is old enough to go. Grows at its right edge only.
CREATE INDEX idempotency_key_age ON idempotency_key (created_at);
