ALTER TABLE notification
  -- The fence under which it was handed over to a mail server; NULL while nobody has, or once it was not taken. Its holder
  -- alone can say later that it was not taken.
  ADD COLUMN handed_over_fence bigint,
  -- Where to, if that can be told: which mail folder.
  ADD COLUMN handed_over_to text,
  -- When its first try failed.
  ADD COLUMN first_failure_time timestamptz;
