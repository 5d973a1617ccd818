-- False for one that was created without a card: it takes no money.
ALTER TABLE payment_intent ADD COLUMN confirmed boolean NOT NULL DEFAULT true;
