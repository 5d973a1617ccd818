import { expect } from 'chai';

import type { Database } from '#database';

import { expectRefusal } from './expect-refusal.ts';
import { openTestDatabase } from './open-test-database.ts';
import { createTestDatabase, runSql } from './postgres-fixture.ts';
import { started, startRunner } from './start-runner.ts';
import { canMakeTinyDisk, makeTinyDisk, type TinyDisk } from './tiny-disk.ts';

const TABLE = 'CREATE SCHEMA shop; CREATE TABLE shop.note (id int, text text)';
const COUNT = { name: 'note.count', text: 'SELECT count(*)::int AS count FROM note' };
const INSERT = { name: 'note.insert', text: 'INSERT INTO note VALUES ($1, $2)' };
/** 8 MB that do not compress away. */
const INSERT_MUCH = {
  name: 'note.insert_much',
  text: `INSERT INTO note SELECT 1, string_agg(md5(random()::text), '') FROM generate_series(1, 250) AS a, generate_series(1, 1000) AS b GROUP BY b`,
};

/** A Postgres that can run out of room, and what gives it room again. */
interface Place {
  readonly url: string;
  fill(): Promise<void>;
  free(): Promise<void>;
  remove(): Promise<void>;
}

/** Where nobody may mount a disk: a Postgres that says what it would say on a full one. */
async function placeThatSaysSo(): Promise<Place> {
  const { url, drop } = await createTestDatabase();
  await runSql(url, TABLE);
  return {
    url,
    fill: () =>
      runSql(
        url,
        `CREATE FUNCTION shop.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
         END $$;
         CREATE TRIGGER full_disk BEFORE INSERT ON shop.note FOR EACH ROW WHEN (length(NEW.text) > 100) EXECUTE FUNCTION shop.full()`,
      ),
    free: () => runSql(url, 'DROP FUNCTION shop.full CASCADE'),
    remove: drop,
  };
}

async function placeOnTinyDisk(disk: TinyDisk | undefined): Promise<Place> {
  if (!disk) return expect.fail('no disk could be mounted');
  const runner = await startRunner(`${disk.folder}/data`, { through: disk.through });
  const { url } = started(runner);
  await runSql(url, TABLE);
  return {
    url,
    fill: () => disk.fill(),
    free: disk.free,
    async remove() {
      await runner.stop();
      await disk.remove();
    },
  };
}

const ways: { name: string; make: () => Promise<Place> }[] = [{ name: 'a Postgres that says its disk is full', make: placeThatSaysSo }];
if (await canMakeTinyDisk()) ways.push({ name: 'a Postgres on a disk that is full', make: async () => placeOnTinyDisk(await makeTinyDisk(150)) });

for (const { name, make } of ways) {
  describe(name, function () {
    this.timeout(60_000);
    let place: Place;
    let database: Database;

    before(async () => {
      place = await make();
      database = openTestDatabase({ url: place.url });
    });

    after(async () => {
      await database?.stop();
      await place?.remove();
    });

    it('refuses what needs room, leaves no half of it, still reads, and goes on when there is room', async () => {
      await database.query(INSERT, [1, 'kept']);
      await place.fill();
      const error = await expectRefusal(
        'DATABASE_UNAVAILABLE',
        database.transaction('note.two', async (tx) => {
          await tx.query(INSERT, [2, 'half']);
          await tx.query(INSERT_MUCH, []);
        }),
      );
      expect(error.metadata).to.deep.equal({ trouble: 'full' });
      expect(error.message).to.match(/disk of the database \S+:5432\/\w+ is full; free some space/);
      expect(await database.query(COUNT, [])).to.deep.equal([{ count: 1 }]);
      await database.ping();

      await place.free();
      await database.transaction('note.two', async (tx) => {
        await tx.query(INSERT, [2, 'whole']);
        await tx.query(INSERT_MUCH, []);
      });
      expect(await database.query(COUNT, [])).to.deep.equal([{ count: 1_002 }]);
    });
  });
}
