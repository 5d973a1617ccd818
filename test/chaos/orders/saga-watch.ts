import type { Shop } from '../../shop/shop-fixture.ts';

/** Sees whether a saga that has ended is ever written again: nobody may, but for the fence, whoever was held up. */
export interface SagaWatch {
  /** Sagas that did, in words, each once. */
  movedBack(): Promise<readonly string[]>;
}

const INSTALL = {
  name: 'watch.install',
  text: `DO $$ BEGIN
    CREATE TABLE saga_moved_back (saga_id text NOT NULL, was text NOT NULL, became text NOT NULL);
    CREATE FUNCTION note_saga_moved_back() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN
      INSERT INTO saga_moved_back VALUES (NEW.saga_id, OLD.status, NEW.status); RETURN NULL;
    END $body$;
    CREATE TRIGGER saga_moved_back AFTER UPDATE ON saga FOR EACH ROW
      WHEN (OLD.status IN ('COMPLETED', 'FAILED')) EXECUTE FUNCTION note_saga_moved_back();
  END $$`,
};
const TAKE = { name: 'watch.take', text: 'DELETE FROM saga_moved_back RETURNING saga_id AS "sagaId", was, became' };

interface MovedBack {
  readonly sagaId: string;
  readonly was: string;
  readonly became: string;
}

/** Puts a trigger on the table of sagas. */
export async function watchSagas(shop: Shop): Promise<SagaWatch> {
  const database = shop.database('order');
  await database.query(INSTALL, []);
  return {
    async movedBack() {
      const rows = await database.query<MovedBack>(TAKE, []);
      return rows.map(({ sagaId, was, became }) => `saga ${sagaId} was ${was}, and was written again as ${became}`);
    },
  };
}
