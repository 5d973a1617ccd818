import type { Shop } from '../../shop/shop-fixture.ts';

/**
 * Sees every write of a saga that its fence is there to refuse: by a process that another one has taken it over from, over
 * its end, or back to where it had been. Each process says who it is as a setting of its connections (faulty.ts).
 */
export interface SagaWatch {
  /** What was written so, in words, each once. */
  wrongWrites(): Promise<readonly string[]>;
}

// Whoever begins a saga or raises its fence holds it. Every other write of where it stands must be the holder's: all but
// the lease and the wish to have it undone, which are not compared.
const INSTALL = {
  name: 'watch.install',
  text: `DO $$ BEGIN
    CREATE TABLE saga_holder (saga_id text PRIMARY KEY, process text NOT NULL);
    CREATE TABLE saga_wrong (saga_id text NOT NULL, what text NOT NULL);
    CREATE FUNCTION note_holder() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN
      INSERT INTO saga_holder VALUES (NEW.saga_id, current_setting('chaos.process', true))
        ON CONFLICT (saga_id) DO UPDATE SET process = excluded.process;
      RETURN NULL;
    END $body$;
    CREATE FUNCTION note_wrong() RETURNS trigger LANGUAGE plpgsql AS $body$
    DECLARE
      writer text := current_setting('chaos.process', true);
      holder text := (SELECT process FROM saga_holder WHERE saga_id = NEW.saga_id);
      how text := CASE
        WHEN OLD.status IN ('COMPLETED', 'FAILED') THEN 'which was over'
        WHEN writer IS DISTINCT FROM holder THEN format('which process %s holds', holder)
        WHEN OLD.status = 'COMPENSATING' AND NEW.status IN ('RUNNING', 'COMPLETED') THEN 'which was being undone'
        WHEN NEW.status = OLD.status AND (CASE NEW.status WHEN 'RUNNING' THEN NEW.step < OLD.step ELSE NEW.step > OLD.step END) THEN 'which was further'
      END;
    BEGIN
      IF how IS NOT NULL THEN
        INSERT INTO saga_wrong VALUES (NEW.saga_id, format('process %s wrote %s at step %s over %s at step %s of saga %s, %s',
          writer, NEW.status, NEW.step, OLD.status, OLD.step, NEW.saga_id, how));
      END IF;
      RETURN NULL;
    END $body$;
    CREATE TRIGGER saga_begun AFTER INSERT ON saga FOR EACH ROW EXECUTE FUNCTION note_holder();
    CREATE TRIGGER saga_taken AFTER UPDATE ON saga FOR EACH ROW WHEN (NEW.fence <> OLD.fence) EXECUTE FUNCTION note_holder();
    CREATE TRIGGER saga_written AFTER UPDATE ON saga FOR EACH ROW
      WHEN (NEW.fence = OLD.fence AND (NEW.status, NEW.step, NEW.attempt, NEW.state, NEW.history) IS DISTINCT FROM (OLD.status, OLD.step, OLD.attempt, OLD.state, OLD.history))
      EXECUTE FUNCTION note_wrong();
  END $$`,
};
const TAKE = { name: 'watch.take', text: 'DELETE FROM saga_wrong RETURNING what' };

/** Puts triggers on the table of sagas. */
export async function watchSagas(shop: Shop): Promise<SagaWatch> {
  const database = shop.database('order');
  await database.query(INSTALL, []);
  return {
    async wrongWrites() {
      const rows = await database.query<{ what: string }>(TAKE, []);
      return [...new Set(rows.map(({ what }) => what))];
    },
  };
}
