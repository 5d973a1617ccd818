import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { type Database, migrate, type MigrationComponent, schemaRefusal, schemaState } from '#database';
import { silentLog } from '#kit';
import { openTestDatabase } from './open-test-database.ts';
import { createTestDatabase, makeTestFolder, type TestDatabase } from './postgres-fixture.ts';

const NOTE = '001.do.create-note.sql';
const TEXT = '002.do.add-text.sql';
const FILES = { [NOTE]: 'CREATE TABLE note (\n  id int PRIMARY KEY\n);\n', [TEXT]: 'ALTER TABLE note ADD COLUMN text text;\n' };

describe('the state of a schema, after a migration has been applied', function () {
  this.timeout(20_000);
  let place: TestDatabase;
  let database: Database;
  let folder: string;
  let note: MigrationComponent;

  beforeEach(async () => {
    place = await createTestDatabase();
    folder = await makeTestFolder();
    database = openTestDatabase({ url: place.url, schema: 'order' });
    note = { name: 'note', directory: join(folder, 'note') };
    await mkdir(note.directory);
    for (const [file, sql] of Object.entries(FILES)) await write(file, sql);
    await migrate({ url: place.url, schema: 'order', components: [note], log: silentLog });
  });

  afterEach(async () => {
    await database.stop();
    await place.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const write = (file: string, sql: string): Promise<void> => writeFile(join(note.directory, file), sql);
  const state = () => schemaState(database, [note]);

  it('is changed when its file is another one, also with nothing newer to apply', async () => {
    await write(NOTE, 'CREATE TABLE note (id int PRIMARY KEY, price int);');
    expect(await state()).to.deep.equal({
      state: 'changed',
      components: [{ kind: 'changed', component: 'note', files: [NOTE] }],
    });
  });

  it('is refused with the name of the file, and what to do', async () => {
    await write(TEXT, 'SELECT 1;');
    const refused = schemaRefusal('order', (await state()).components);
    expect(refused?.reason).to.equal('SCHEMA_OUTDATED');
    expect(refused?.message).to.equal(
      `schema "order" was made by another edition of note/${TEXT}, changed after it had been applied; bring that edition back and put the change into a new file`,
    );
  });

  it('is changed rather than outdated, for no migration mends it', async () => {
    await write(NOTE, 'SELECT 1;');
    await write('003.do.more.sql', 'SELECT 1;');
    expect((await state()).state).to.equal('changed');
  });

  it('is newer rather than changed, for the files are those of another time', async () => {
    await write(NOTE, 'SELECT 1;');
    await rm(join(note.directory, TEXT));
    expect((await state()).state).to.equal('newer');
  });

  it('is up to date when only the ends of its lines are others, as in a clone on another system', async () => {
    for (const [file, sql] of Object.entries(FILES)) await write(file, sql.replaceAll('\n', '\r\n'));
    expect((await state()).state).to.equal('up-to-date');
  });

  it('is up to date again once the file is back', async () => {
    await write(NOTE, 'SELECT 1;');
    expect((await state()).state).to.equal('changed');
    await write(NOTE, FILES[NOTE] ?? '');
    expect((await state()).state).to.equal('up-to-date');
  });

  it('asks no further where somebody has taken the checksum out', async () => {
    await write(NOTE, 'SELECT 1;');
    await database.query({ name: 'test.forget', text: 'UPDATE migration_note SET md5 = NULL WHERE version = 1' }, []);
    expect((await state()).state).to.equal('up-to-date');
  });
});
