-- Requests that had their effect. The primary key is what makes a second one wait and lose.
CREATE TABLE idempotency_key (
  method       text        NOT NULL,
  caller       text        NOT NULL,
  key          text        NOT NULL,
  request_hash bytea       NOT NULL,
  resource_id  text        NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (method, caller, key)
);
