import { access, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { readDatabaseUrl } from '#database';

import { fail, type Finding } from './check.ts';

/** The one finding for all databases of a Postgres that does not answer, instead of one for each of them. */
export async function silentServer(names: readonly string[], url: string): Promise<Finding> {
  const { server, port } = readDatabaseUrl(url);
  const held = `, so that nothing of ${names.join(', ')} can be read or written`;
  const process = server.startsWith('/') ? await readLock(server, port) : undefined;
  if (!process) return fail(`the Postgres ${server}:${port} does not answer${held}`, 'check that it runs and that DATABASE_URL leads to it, then try again');
  const log = await ownLog(process);
  const says = `the Postgres on ${process.cluster} (process ${process.pid}) does not answer${held}`;
  return fail(says, log === undefined ? 'see its log, and start it again' : `see ${log}; if it hangs: \`npx mesh down\`, \`npx mesh up\``);
}

interface ServerProcess {
  readonly pid: number;
  /** Its data folder. */
  readonly cluster: string;
}

/** What a Postgres writes beside its Unix socket (https://www.postgresql.org/docs/18/storage-file-layout.html); undefined when it has ended, or we may not look. */
async function readLock(folder: string, port: number): Promise<ServerProcess | undefined> {
  const [pid = '', cluster = ''] = (await readFile(join(folder, `.s.PGSQL.${port}.lock`), 'utf8').catch(() => '')).split('\n');
  return Number(pid) > 0 && cluster !== '' ? { pid: Number(pid), cluster } : undefined;
}

/** Of the Postgres that `mesh up` brings: it lies beside the data. */
async function ownLog({ cluster }: ServerProcess): Promise<string | undefined> {
  const log = join(dirname(cluster), 'postgres.log');
  const isThere = await access(log).then(() => true, () => false);
  return isThere && basename(cluster) === 'cluster' ? log : undefined;
}
