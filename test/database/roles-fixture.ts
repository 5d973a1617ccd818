import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import pg from 'pg';

import { applicationRole, grantAccess, migrate, type MigrationComponent, type SchemaAccess, withUser } from '#database';
import { silentLog } from '#kit';
import { createTestDatabase, makeTestFolder, runSql } from './postgres-fixture.ts';

export interface RolesFixture {
  /** As the superuser of the server. */
  readonly url: string;
  /** As a role that owns the database and its tables, and may make roles; no superuser. */
  readonly ownerUrl: string;
  /** As the role of the application in this schema. */
  roleUrl(schema: string, password?: string): string;
  role(schema: string): string;
  /** Migrates as the owner, without any grants. */
  migrate(schema: string, components: readonly MigrationComponent[]): Promise<void>;
  grant(schema: string, components: readonly MigrationComponent[], access?: SchemaAccess, password?: string): Promise<void>;
  component(name: string, files: Readonly<Record<string, string>>): Promise<MigrationComponent>;
  remove(): Promise<void>;
}

/** A database with an owner, whose roles and data go with it. */
export async function makeRoles(): Promise<RolesFixture> {
  const { url, drop } = await createTestDatabase();
  const folder = await makeTestFolder();
  const database = new URL(url).pathname.slice(1);
  const owner = { name: `${database}_owner`, password: randomBytes(12).toString('base64url') };
  await runSql(url, `CREATE ROLE ${owner.name} LOGIN CREATEROLE PASSWORD '${owner.password}'; ALTER DATABASE ${database} OWNER TO ${owner.name}`);
  const ownerUrl = withUser(url, owner);
  const role = (schema: string): string => applicationRole(database, schema);
  const roleUrl = (schema: string, password = 'application'): string => withUser(url, { name: role(schema), password });
  return {
    url,
    ownerUrl,
    role,
    roleUrl,
    async migrate(schema, components) {
      await migrate({ url: ownerUrl, schema, components, log: silentLog });
    },
    grant: (schema, components, access = 'tables', password) => grantAccess({ ownerUrl, url: roleUrl(schema, password), schema, components, access }),
    async component(name, files) {
      const directory = join(folder, name);
      await mkdir(directory, { recursive: true });
      for (const [file, sql] of Object.entries(files)) await writeFile(join(directory, file), sql);
      return { name, directory };
    },
    async remove() {
      await drop();
      const server = withUser(new URL('/postgres', url).href, { name: new URL(url).username, password: decodeURIComponent(new URL(url).password) });
      const roles = `SELECT string_agg(format('%I', rolname), ', ') AS names FROM pg_roles WHERE starts_with(rolname, $1)`;
      const [found] = await rowsOf(server, roles, [database]);
      if (found?.['names']) await runSql(server, `DROP ROLE ${String(found['names'])}`);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The rows of one statement over a connection of its own. */
export async function rowsOf(url: string, text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** Which of these statements a role may run, by their names; each is undone. Every refusal has to be for want of a privilege. */
export async function allowed(url: string, statements: Readonly<Record<string, string>>): Promise<string[]> {
  const client = new pg.Client(url);
  await client.connect();
  const names: string[] = [];
  try {
    for (const [name, text] of Object.entries(statements)) {
      await client.query('BEGIN');
      try {
        await client.query(text);
        names.push(name);
      } catch (thrown) {
        const state = thrown instanceof pg.DatabaseError ? thrown.code : undefined;
        if (state !== '42501') throw new Error(`${name} failed for another reason`, { cause: thrown });
      }
      await client.query('ROLLBACK');
    }
    return names;
  } finally {
    await client.end();
  }
}
