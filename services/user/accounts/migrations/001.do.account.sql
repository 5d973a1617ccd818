-- Somebody who can sign in. Address and name are in users, whose row outlives the account, with both erased.
CREATE TABLE account (
  user_id text PRIMARY KEY,
  -- The address as it is compared: see email-key.ts.
  email_key text NOT NULL UNIQUE,
  -- A PHC string of argon2id.
  password_hash text NOT NULL,
  roles text[] NOT NULL DEFAULT '{customer}',
  -- One more each time the access tokens are voided: their claim "ver".
  generation bigint NOT NULL DEFAULT 0,
  create_time timestamptz NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE session (
  session_id text PRIMARY KEY,
  user_id text NOT NULL REFERENCES account ON DELETE CASCADE,
  -- A refresh token has two parts. This is SHA-256 of the one that names the session and stays.
  selector_hash bytea NOT NULL UNIQUE,
  -- SHA-256 of the one that is good once, and of the one before it.
  secret_hash bytea NOT NULL,
  previous_hash bytea,
  -- From it and the secret before came the secret that is good now, so that a repeat gets it again.
  salt bytea,
  -- SHA-256 of the request_id that brought the secret before.
  request_hash bytea,
  refreshes bigint NOT NULL DEFAULT 0,
  create_time timestamptz NOT NULL,
  refresh_time timestamptz NOT NULL,
  expire_time timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX session_of_user ON session (user_id, refresh_time DESC);
CREATE INDEX session_expire ON session (expire_time);

-- A code that was asked for.
CREATE TABLE verification (
  verification_id text PRIMARY KEY,
  -- NOBODY: an address without an account; nothing is sent.
  purpose text NOT NULL CHECK (purpose IN ('REGISTRATION', 'ALREADY_REGISTERED', 'PASSWORD_RESET', 'NOBODY')),
  user_id text NOT NULL,
  email text NOT NULL,
  email_key text NOT NULL,
  display_name text NOT NULL,
  -- Of the account to be; NULL in others, and once it is made.
  password_hash text,
  -- SHA-256 of the code that was given out last; NULL before.
  code_hash bytea,
  code_expire_time timestamptz,
  -- Codes given out, and wrong ones tried.
  issued integer NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  -- When it had its effect; NULL before.
  done_time timestamptz,
  create_time timestamptz NOT NULL,
  expire_time timestamptz NOT NULL
);
CREATE INDEX verification_expire ON verification (expire_time);
CREATE INDEX verification_of_user ON verification (user_id);

-- Public keys of access tokens. The private ones are in the memory of the process that made them, and nowhere else.
CREATE TABLE signing_key (
  key_id text PRIMARY KEY,
  -- The 32 bytes of the Ed25519 public key, in base64url.
  x text NOT NULL,
  create_time timestamptz NOT NULL,
  expire_time timestamptz NOT NULL
);

-- Whose access tokens are void before they expire.
CREATE TABLE revocation (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id text NOT NULL,
  generation bigint NOT NULL,
  expire_time timestamptz NOT NULL
);

-- How much of a limit is used up, by the hash of what is limited: no address stands here.
CREATE TABLE attempt (
  key text PRIMARY KEY,
  -- When all that was taken is given back.
  free_time timestamptz NOT NULL,
  -- How far ahead of now that may be.
  slack interval NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX attempt_free ON attempt (free_time);
