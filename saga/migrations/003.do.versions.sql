ALTER TABLE saga
  -- Of the definition it began with. Programs older than this column run version 1 only:
  -- begin a second version once none of them is left.
  ADD COLUMN version integer NOT NULL DEFAULT 1,
  -- Index of the pivot in that version: up to there it can be cancelled.
  ADD COLUMN pivot integer,
  -- Nobody holds it: it waits for its next try, its timer, or a hand. `due_time` says until when.
  ADD COLUMN waiting boolean NOT NULL DEFAULT false,
  -- Until when its timer runs, while it stands at one.
  ADD COLUMN wake_time timestamptz,
  -- The furthest step that a process may have run which lost the saga; -1: none.
  ADD COLUMN reach integer NOT NULL DEFAULT -1,
  -- What has been done, oldest first, bounded: saga/history.ts. Beside the state and not in
  -- rows of their own, since every transition writes the saga's row anyway.
  ADD COLUMN history jsonb NOT NULL DEFAULT '[]';

-- What a running saga changes at each step is in no index, so that its row is updated in
-- place (HOT). Finished sagas are in these indexes not at all, however many there are.
CREATE INDEX saga_due_by_version ON saga (definition, version, due_time) WHERE status IN ('RUNNING', 'COMPENSATING');
DROP INDEX saga_due;
CREATE INDEX saga_failed ON saga (saga_id) WHERE status = 'FAILED';
-- Most are about what they are called like: the primary key finds those.
CREATE INDEX saga_of_other_subject ON saga (subject) WHERE subject <> saga_id;
DROP INDEX saga_of_subject;

ALTER TABLE saga_intervention DROP CONSTRAINT saga_intervention_kind_check;
ALTER TABLE saga_intervention ADD CONSTRAINT saga_intervention_kind_check CHECK (kind IN ('RETRY', 'RESOLVE', 'SKIP'));
