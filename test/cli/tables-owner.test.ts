import { EventEmitter } from 'node:events';
import { join } from 'node:path';

import { expect } from 'chai';

import { silentLog } from '#kit';
import { loadModule } from '#modules';

import { createSupervisedMigrator } from '../../cli/local/supervised-migrator.ts';
import { createTablesOwner, type TablesOwner } from '../../cli/local/tables-owner.ts';
import type { Tables } from '../../cli/serving/tables.ts';
import { loadSettings } from '../../cli/settings.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import { makeRoles, type RolesFixture, rowsOf } from '../database/roles-fixture.ts';

describe('the supervisor, asked to bring tables up to date', function () {
  this.timeout(20_000);
  let roles: RolesFixture;
  let owner: TablesOwner;
  before(async () => {
    roles = await makeRoles();
    const found = { DATABASE_URL_USER: roles.roleUrl('user'), DATABASE_OWNER_URL_USER: roles.ownerUrl };
    owner = createTablesOwner({ settings: await loadSettings({}), databases: Promise.resolve(found), log: silentLog });
  });
  after(() => roles?.remove());

  it('does so as their owner, and lets the role in', async () => {
    const { migrations: components } = await loadModule('user');
    await Promise.all([owner(['user'], { schema: 'user', components }), owner(['user'], { schema: 'user', components })]);
    expect(await rowsOf(roles.roleUrl('user'), 'SELECT count(*)::int AS users FROM "user".users')).to.deep.equal([{ users: 0 }]);
  });

  it('refuses tables of a service that the process does not have', async () => {
    const { migrations: components } = await loadModule('user');
    const error = await expectRefusal('INVALID_ARGUMENT', owner(['order'], { schema: 'user', components }));
    expect(error.message).to.include('order may not have schema "user" migrated');
  });

  it('refuses files that are not the program\'s', async () => {
    const program = join(import.meta.dirname, '..', '..');
    for (const directory of ['/elsewhere', `${program}-of-others`, `${program}/database/../../mine`]) {
      await expectRefusal('INVALID_ARGUMENT', owner(['user'], { schema: 'user', components: [{ name: 'user', directory }] }));
    }
  });
});

describe('a process below the supervisor, whose tables are old', () => {
  const tables: Tables = { url: '', ownerUrl: '', schema: 'user', components: [], access: 'tables' };

  /** A process as the migrator sees it, and what it has sent. */
  function channel() {
    const sent: unknown[] = [];
    const emitter = Object.assign(new EventEmitter(), { connected: true, send: (message: unknown) => sent.push(message) > 0 });
    // An emitter whose listeners get what those of a process get.
    return { sent, emitter, migrate: createSupervisedMigrator(emitter as unknown as NodeJS.Process) };
  }

  it('asks once, and goes on when the supervisor has them', async () => {
    const { sent, emitter, migrate } = channel();
    const both = Promise.all([migrate(tables, silentLog), migrate(tables, silentLog)]);
    expect(sent).to.deep.equal([{ kind: 'outdated', schema: 'user', components: [] }]);
    emitter.emit('message', { kind: 'migrated', schema: 'other' });
    emitter.emit('message', { kind: 'migrated', schema: 'user' });
    expect(await both).to.deep.equal([[], []]);
  });

  it('is refused for the reason that the supervisor has', async () => {
    const { emitter, migrate } = channel();
    const asked = migrate(tables, silentLog);
    emitter.emit('message', { kind: 'migrated', schema: 'user', trouble: { reason: 'START_FAILED', message: 'migration x failed' } });
    expect((await expectRefusal('START_FAILED', asked)).message).to.equal('migration x failed');
  });

  it('does not wait for a supervisor that has ended', async () => {
    const { emitter, migrate } = channel();
    const asked = migrate(tables, silentLog);
    emitter.connected = false;
    emitter.emit('disconnect');
    await expectRefusal('CANCELLED', asked);
    await expectRefusal('CANCELLED', migrate(tables, silentLog));
  });
});
