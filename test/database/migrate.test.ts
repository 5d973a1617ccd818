import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { type Database, ensureDatabase, migrate, type MigrationComponent, schemaRefusal, schemaState } from '#database';
import { silentLog } from '#kit';
import { expectRefusal } from './expect-refusal.ts';
import { openTestDatabase } from './open-test-database.ts';
import { createTestDatabase, makeTestFolder, runSql, type TestDatabase } from './postgres-fixture.ts';
import { until } from './until.ts';

const FIRST = { '001.do.create-note.sql': 'CREATE TABLE note (id int PRIMARY KEY);' };
const SECOND = { '002.do.add-text.sql': 'ALTER TABLE note ADD COLUMN text text;' };

describe('migrate', function () {
  this.timeout(20_000);
  let place: TestDatabase;
  let database: Database;
  let folder: string;

  beforeEach(async () => {
    place = await createTestDatabase();
    // A name that quotes and patterns would trip over.
    folder = join(await makeTestFolder(), "shop's [old] {copy}");
    database = openTestDatabase({ url: place.url, schema: 'order' });
  });

  afterEach(async () => {
    await database.stop();
    await place.drop();
    await rm(join(folder, '..'), { recursive: true, force: true });
  });

  async function component(name: string, files: Record<string, string>): Promise<MigrationComponent> {
    const directory = join(folder, name);
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    for (const [file, sql] of Object.entries(files)) await writeFile(join(directory, file), sql);
    return { name, directory };
  }

  function run(...components: MigrationComponent[]): Promise<string[]> {
    return migrate({ url: place.url, schema: 'order', components, log: silentLog });
  }

  async function tables(): Promise<string[]> {
    const text = `SELECT relname AS name FROM pg_class
                  WHERE relnamespace = to_regnamespace('"order"') AND relkind = 'r' ORDER BY 1`;
    return (await database.query<{ name: string }>({ name: 'test.tables', text }, [])).map(({ name }) => name);
  }

  it('makes the schema and its tables, then has nothing left to do', async () => {
    const saga = { '001.do.saga.sql': 'CREATE TABLE saga (id int REFERENCES note);' };
    const components = [await component('note', { ...FIRST, ...SECOND }), await component('saga', saga)];
    expect((await schemaState(database, components)).state).to.equal('outdated');
    const files = ['note/001.do.create-note.sql', 'note/002.do.add-text.sql', 'saga/001.do.saga.sql'];
    expect(await run(...components)).to.deep.equal(files);
    expect(await tables()).to.deep.equal(['migration_note', 'migration_saga', 'note', 'saga']);
    expect(await schemaState(database, components)).to.deep.equal({
      state: 'up-to-date',
      components: [{ kind: 'up-to-date', component: 'note' }, { kind: 'up-to-date', component: 'saga' }],
    });
    expect(await run(...components)).to.deep.equal([]);
  });

  it('says what is missing and applies only that', async () => {
    await run(await component('note', FIRST));
    const grown = await component('note', { ...FIRST, ...SECOND });
    const { state, components } = await schemaState(database, [grown]);
    expect(state).to.equal('outdated');
    expect(schemaRefusal('order', components)?.message).to.contain('002.do.add-text.sql').and.contain('mesh migrate');
    expect(await run(grown)).to.deep.equal(['note/002.do.add-text.sql']);
    expect(schemaRefusal('order', (await schemaState(database, [grown])).components)).to.equal(undefined);
  });

  it('lets processes that come together take turns', async () => {
    const note = await component('note', { ...FIRST, ...SECOND });
    const results = await Promise.all(Array.from({ length: 5 }, () => run(note)));
    expect(results.map(({ length }) => length).toSorted()).to.deep.equal([0, 0, 0, 0, 2]);
  });

  it('leaves nothing of a file that fails half-way, keeps those before it, and names it', async () => {
    const broken = { '002.do.broken.sql': 'CREATE TABLE half (id int); SELECT 1 / 0;' };
    const error = await expectRefusal('START_FAILED', run(await component('note', { ...FIRST, ...broken })));
    expect(error.message).to.contain('note/002.do.broken.sql').and.contain('division by zero');
    expect(await tables()).to.deep.equal(['migration_note', 'note']);
    expect(await run(await component('note', { ...FIRST, ...SECOND }))).to.deep.equal(['note/002.do.add-text.sql']);
  });

  it('names the statement that failed, and its line', async () => {
    const script = `-- Adds; what was missing.
      ALTER TABLE note ADD COLUMN text text DEFAULT 'a;b';
      CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS $$ SELECT 2 * n; $$;

      UPDATE note
        SET text = missing;
      DROP TABLE note;`;
    const error = await expectRefusal('START_FAILED', run(await component('note', { ...FIRST, '002.do.broken.sql': script })));
    expect(error.message).to.contain('note/002.do.broken.sql').and.contain('"missing" does not exist');
    expect(error.message).to.contain('line 5: UPDATE note SET text = missing').and.not.contain('DROP');
  });

  it('refuses a file that would end its transaction, before it does anything', async () => {
    const file = { '002.do.broken.sql': 'CREATE TABLE half (id int);\nCOMMIT;\nSELECT 1 / 0;' };
    const error = await expectRefusal('START_FAILED', run(await component('note', { ...FIRST, ...file })));
    expect(error.message).to.contain('note/002.do.broken.sql').and.contain('COMMIT in line 2');
    expect(await tables()).to.deep.equal(['migration_note', 'note']);
  });

  it('leaves nothing of a file in whose middle the connection is lost, and goes on the next time', async () => {
    await run(await component('note', FIRST));
    // Waits for this lock in its middle.
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    const { promise: locked, resolve: lock } = Promise.withResolvers<void>();
    const holder = database.transaction('test.hold', async (tx) => {
      await tx.query({ name: 'test.lock', text: 'LOCK TABLE note' }, []);
      lock();
      await done;
    });
    await locked;
    const grown = await component('note', { ...FIRST, '002.do.grow.sql': `CREATE TABLE half (id int); ${SECOND['002.do.add-text.sql']}` });
    const broken = expectRefusal('DATABASE_UNAVAILABLE', run(grown));
    const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE application_name = 'mesh migrate' AND datname = current_database() AND wait_event_type = 'Lock'`;
    await until('it was cut in its middle', async () => (await database.query({ name: 'test.cut', text: cut }, [])).length === 1);
    const error = await broken;
    finish();
    await holder;
    expect(error.message).to.contain('note/002.do.grow.sql').and.contain('left nothing behind').and.contain(new URL(place.url).pathname);
    expect(await tables()).to.deep.equal(['migration_note', 'note']);
    expect(await run(grown)).to.deep.equal(['note/002.do.grow.sql']);
  });

  it('leaves not even a version table when the first file fails', async () => {
    await expectRefusal('START_FAILED', run(await component('note', { '001.do.broken.sql': 'CREATE TABEL x ();' })));
    expect(await tables()).to.deep.equal([]);
  });

  it('refuses tables that are newer than the files', async () => {
    await run(await component('note', { ...FIRST, ...SECOND }));
    const older = await component('note', FIRST);
    const error = await expectRefusal('SCHEMA_OUTDATED', run(older));
    expect(error.message).to.contain('note').and.contain('version 2').and.contain('knows 1');
    expect((await schemaState(database, [older])).state).to.equal('newer');
  });

  it('refuses a file that was changed after it had been applied', async () => {
    await run(await component('note', FIRST));
    const other = await component('other', { '001.do.other.sql': 'CREATE TABLE other ();' });
    const changed = { '001.do.create-note.sql': 'CREATE TABLE note (id text);', ...SECOND };
    const error = await expectRefusal('SCHEMA_OUTDATED', run(other, await component('note', changed)));
    expect(error.message).to.contain('note/001.do.create-note.sql').and.contain('changed after it had been applied');
    expect(await tables(), 'it did nothing before it looked').to.deep.equal(['migration_note', 'note']);
  });

  it('refuses gaps and names that do not fit', async () => {
    const gap = await component('gap', { '002.do.late.sql': 'SELECT 1;' });
    expect((await expectRefusal('START_FAILED', run(gap))).message).to.contain('should have number 1');
    const odd = await component('odd', { 'create.sql': 'SELECT 1;' });
    expect((await expectRefusal('START_FAILED', run(odd))).message).to.contain('odd/create.sql');
  });

  it('says that nothing answers', async () => {
    const url = place.url.replace('@', '@%2Fnowhere');
    const options = { url, schema: 'order', components: [await component('note', FIRST)], log: silentLog };
    const error = await expectRefusal('DATABASE_UNAVAILABLE', migrate({ ...options, mayCreateDatabase: true }));
    expect(error.message).to.contain('does not answer');
    await expectRefusal('DATABASE_UNAVAILABLE', ensureDatabase(url));
  });

  it('creates the database only when it may, also from several processes at once', async () => {
    const note = await component('note', FIRST);
    const url = `${place.url}_new`;
    const options = { url, schema: 'order', components: [note], log: silentLog };
    await expectRefusal('DATABASE_UNAVAILABLE', migrate(options));
    const applied = await Promise.all(Array.from({ length: 3 }, () => migrate({ ...options, mayCreateDatabase: true })));
    expect(applied.flat()).to.deep.equal(['note/001.do.create-note.sql']);
    expect(await ensureDatabase(url)).to.equal(false);
    await runSql(place.url, `DROP DATABASE "${new URL(url).pathname.slice(1)}"`);
  });
});
