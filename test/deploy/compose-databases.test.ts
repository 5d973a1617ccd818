import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'chai';
import pg from 'pg';

import { migrate } from '#database';
import { EVENT_LOG_SCHEMA, eventLogMigrations } from '#events';
import { silentLog } from '#kit';
import { loadModule, MODULE_NAMES, type ModuleName } from '#modules';

import { startTestServer, type TestServer } from '../database/postgres-fixture.ts';
import { projectRoot } from './compose-file.ts';

/** https://www.postgresql.org/docs/18/errcodes-appendix.html */
const INSUFFICIENT_PRIVILEGE = '42501';
const PASSWORD = "local'only";

/** Whose a database is: a service's, or that of the events. */
type Owner = ModuleName | 'events';

/** The script without psql, which nobody need have: its variable put in, its statements one by one. */
function statementsOf(script: string): string[] {
  const lines = script.split('\n').filter((line) => !/^(--|\\getenv password )/.test(line));
  return lines.join('\n').replaceAll(":'password'", pg.escapeLiteral(PASSWORD)).split(';').map((statement) => statement.trim()).filter((statement) => statement !== '');
}

describe('the databases of docker-compose.yml', function () {
  this.timeout(30_000);
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
    const client = new pg.Client(server.postgres.url('postgres'));
    await client.connect();
    for (const statement of statementsOf(readFileSync(join(projectRoot, 'deploy/compose/postgres.sql'), 'utf8'))) await client.query(statement);
    await client.end();
  });
  after(() => server?.remove());

  function urlOf(role: Owner, database: Owner): string {
    const url = new URL(server.postgres.url(`shop_${database}`));
    url.username = `shop_${role}`;
    url.password = encodeURIComponent(PASSWORD);
    return url.href;
  }

  async function migrateAs(role: ModuleName, database: ModuleName): Promise<string[]> {
    const { migrations } = await loadModule(database);
    return migrate({ url: urlOf(role, database), schema: database, components: migrations, log: silentLog });
  }

  for (const name of MODULE_NAMES) {
    it(`${name} may make its tables in its own`, async () => {
      expect(await migrateAs(name, name)).to.include(`${name}/001.do.${name}.sql`);
    });
  }

  it('the events may have their log in theirs', async () => {
    const components = [eventLogMigrations];
    expect(await migrate({ url: urlOf('events', 'events'), schema: EVENT_LOG_SCHEMA, components, log: silentLog })).not.to.deep.equal([]);
  });

  it('no service may enter another one\'s', async () => {
    const owners: readonly Owner[] = [...MODULE_NAMES, 'events'];
    for (const role of owners) {
      for (const database of owners.filter((name) => name !== role)) {
        const client = new pg.Client(urlOf(role, database));
        const refused = await client.connect().catch((thrown: unknown) => thrown);
        expect(refused, `${role} in ${database}`).to.have.property('code', INSUFFICIENT_PRIVILEGE);
        await client.end();
      }
    }
  });
});
