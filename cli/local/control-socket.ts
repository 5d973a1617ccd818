import { lstatSync } from 'node:fs';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';

import { errorCode, MeshError, refusal } from '#kit';
import type { ModuleName } from '#modules';

/** One process under the supervisor. */
export interface ProcessStatus {
  readonly name: string;
  readonly pid: number | undefined;
  readonly state: 'starting' | 'ready' | 'restarting' | 'stopping';
  readonly services: readonly ModuleName[];
  /** Ids under which its services are registered. */
  readonly instances: readonly string[];
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

export interface SupervisorStatus {
  readonly pid: number;
  readonly version: string;
  readonly topology: string;
  readonly startedAt: number;
  readonly consulUrl: string;
  /** Where traces can be read; empty when they go nowhere that can be asked. */
  readonly jaegerUrl: string;
  readonly processes: readonly ProcessStatus[];
}

const TIMEOUT_MS = 5_000;

/** The status of the supervisor behind a socket; undefined when there is none. */
export async function askSupervisor(path: string): Promise<SupervisorStatus | undefined> {
  const answer = await send(path, 'GET', '/status');
  // Both ends are this program.
  return answer?.body as SupervisorStatus | undefined;
}

/** The settings that lead to the servers the shop stands on, secrets among them; undefined when it is not up. */
export async function askEnvironment(path: string): Promise<Readonly<Record<string, string>> | undefined> {
  const answer = await send(path, 'GET', '/environment');
  return answer?.body as Readonly<Record<string, string>> | undefined;
}

/** Tells the supervisor to stop. */
export async function tellToStop(path: string): Promise<void> {
  await send(path, 'POST', '/stop');
}

/** Undefined when nobody is there. */
async function send(path: string, method: string, url: string): Promise<{ readonly body: unknown } | undefined> {
  try {
    refuseForeign(path);
    return { body: await exchange(path, method, url) };
  } catch (thrown) {
    // Reset: it has just ended.
    if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes(errorCode(thrown) ?? '')) return undefined;
    if (thrown instanceof MeshError) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw refusal('UNREACHABLE', `the supervisor behind ${path} cannot be asked: ${why}`, { cause: thrown });
  }
}

/** In a folder open to all, a socket may be somebody's trap: what it answers would be believed. */
function refuseForeign(path: string): void {
  const { uid } = lstatSync(path);
  if (process.getuid === undefined || uid === process.getuid()) return;
  throw refusal('UNREACHABLE', `the shop behind ${path} belongs to user ${uid}; run this as that user, or set MESH_DATA_DIR to a folder of your own`);
}

function exchange(socketPath: string, method: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const req = request({ socketPath, method, path, timeout: TIMEOUT_MS, agent: false }, (res) => {
      if (res.headers['content-type'] === 'application/json') json(res).then(resolve, reject);
      else res.resume().on('end', () => resolve(undefined)).on('error', reject);
    });
    req.on('timeout', () => req.destroy(new Error('it does not answer; end its process and start again')));
    req.on('error', reject);
    req.end();
  });
}
