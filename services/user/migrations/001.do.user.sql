CREATE TABLE users (
  user_id text PRIMARY KEY,
  email text NOT NULL,
  display_name text NOT NULL,
  create_time timestamptz NOT NULL
);
