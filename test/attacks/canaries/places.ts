import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

import { refusal } from '#kit';

import { meshHere } from '../../cli/support/in-process.ts';
import type { Shop } from '../../shop/shop-fixture.ts';
import { dumpTables, readLogs, readSpans, withClient } from '../shop-places.ts';
import { descendants } from './processes.ts';
import { SECRET_SETTINGS } from './secret-settings.ts';

/** What stands where, by the name of the place. */
export type Contents = ReadonlyMap<string, string | Buffer>;

/** Somewhere that secrets could get to. */
export interface Place {
  readonly name: string;
  /** What it is, in a few words. */
  readonly what: string;
  read(): Promise<Contents>;
  /** Puts a secret there, as a careless program would; returns how it is taken away again. */
  plant(secret: string): Promise<() => Promise<unknown>>;
}

/** `errors`: what callers were told. */
export function placesOf(shop: Shop, errors: Error[]): readonly Place[] {
  const { environment } = shop;
  const folder = environment['MESH_DATA_DIR'] ?? '';
  return [
    {
      name: 'logs',
      what: 'logs at the finest level',
      read: async () => new Map([['logs', await readLogs(shop)]]),
      plant: (secret) => plantFile(join(folder, 'logs', 'planted.log'), `{"level":"trace","msg":"${secret}"}\n`),
    },
    {
      name: 'spans',
      what: 'spans, as the collector has them',
      read: async () => new Map([['spans', await readSpans(shop)]]),
      plant: (secret) => plantSpan(environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '', secret),
    },
    {
      name: 'errors',
      what: 'errors, as callers get them',
      read: async () => new Map(errors.map((error, index) => [`error ${index}`, JSON.stringify([error.message, error.stack, error.cause, error])])),
      async plant(secret) {
        errors.push(refusal('INVALID_CREDENTIALS', `${secret} is not the password`));
        return async () => errors.pop();
      },
    },
    {
      name: 'tables',
      what: 'every row of every table, events and stored answers among them',
      read: async () => new Map([['tables', await dumpTables(shop)]]),
      plant: (secret) => plantRow(environment['DATABASE_OWNER_URL_USER'] ?? '', secret),
    },
    {
      name: 'files',
      what: 'every file that the shop keeps, the database\'s own among them',
      read: () => readFolder(folder),
      plant: (secret) => plantFile(join(folder, 'planted'), Buffer.from(secret).toString('base64')),
    },
    {
      name: 'processes',
      what: 'arguments and environments of all processes of the shop',
      read: async () => new Map(descendants().flatMap(({ pid, command, environment: variables }) => [[`arguments of ${pid}`, command], ...variables.map((variable) => [`${variable.split('=')[0]} of ${command}`, variable] as const)])),
      plant: plantProcess,
    },
    {
      name: 'config',
      what: 'what `mesh config` prints, with every secret setting set',
      read: () => readConfig(environment),
      plant: async (secret) => {
        // A setting that is no secret.
        const given = environment['MESH_ZONE'];
        Object.assign(environment, { MESH_ZONE: secret });
        return async () => Object.assign(environment, { MESH_ZONE: given ?? 'local' });
      },
    },
  ];
}

async function plantFile(path: string, text: string): Promise<() => Promise<unknown>> {
  await writeFile(path, text);
  return () => rm(path);
}

/** It stays until the collector ends, with the shop. */
async function plantSpan(endpoint: string, secret: string): Promise<() => Promise<unknown>> {
  const nowNs = `${Date.now()}000000`;
  const attributes = [{ key: 'url.full', value: { stringValue: `https://user:${secret}@example.com` } }];
  const span = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex'), name: 'planted', kind: 1, startTimeUnixNano: nowNs, endTimeUnixNano: nowNs, attributes };
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'planted' } }] };
  const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] });
  const { status } = await fetch(`${endpoint}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (status !== 200) throw new Error(`the collector answers ${status}`);
  return async () => undefined;
}

async function plantRow(url: string, secret: string): Promise<() => Promise<unknown>> {
  await withClient(url, async (client) => {
    await client.query('CREATE TABLE "user".planted (value bytea)');
    await client.query('INSERT INTO "user".planted VALUES ($1)', [Buffer.from(secret)]);
  });
  return () => withClient(url, (client) => client.query('DROP TABLE "user".planted'));
}

async function plantProcess(secret: string): Promise<() => Promise<unknown>> {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)', secret], { stdio: 'ignore' });
  await once(child, 'spawn');
  return async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
}

async function readConfig(environment: Readonly<Record<string, string>>): Promise<Contents> {
  const secrets = Object.fromEntries(Object.entries(SECRET_SETTINGS).map(([name, { value }]) => [name, value]));
  const outputs = new Map<string, string>();
  // One after the other: each puts its environment in the place of this process's for a while.
  for (const args of [['config'], ['config', '--json']]) {
    const { exitCode, stdout, stderr } = await meshHere(args, { ...environment, ...secrets });
    if (exitCode !== 0) throw new Error(stderr);
    outputs.set(args.join(' '), stdout + stderr);
  }
  return outputs;
}

/** Postgres writes, renames and removes files meanwhile: what has gone is not there. */
async function readFolder(folder: string): Promise<Contents> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const contents = new Map<string, Buffer>();
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path).catch(() => undefined);
    const mode = await stat(path).catch(() => undefined);
    if (bytes && mode) contents.set(`${relative(folder, path)} (${(mode.mode & 0o777).toString(8)})`, bytes);
  }
  return contents;
}
