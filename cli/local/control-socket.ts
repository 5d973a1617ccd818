import { lstatSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';

import { errorCode, MeshError, refusal, type Reason, REASONS } from '#kit';

import type { ControlError, ScaleAnswer, ScaleRequest, SupervisorStatus } from './control-messages.ts';

export type { ProcessStatus, SupervisorStatus } from './control-messages.ts';

const TIMEOUT_MS = 5_000;

/** The status of the supervisor behind a socket; undefined when there is none. */
export async function askSupervisor(path: string): Promise<SupervisorStatus | undefined> {
  const answer = await send(path, { method: 'GET', url: '/status' });
  // Both ends are this program.
  return answer?.body as SupervisorStatus | undefined;
}

/** The settings that lead to the servers the shop stands on, secrets among them; undefined when it is not up. */
export async function askEnvironment(path: string): Promise<Readonly<Record<string, string>> | undefined> {
  const answer = await send(path, { method: 'GET', url: '/environment' });
  return answer?.body as Readonly<Record<string, string>> | undefined;
}

/** Tells the supervisor to stop. */
export async function tellToStop(path: string): Promise<void> {
  await send(path, { method: 'POST', url: '/stop' });
}

/**
 * Tells the supervisor how many instances to run; resolves when it has done what it
 * could, however long that takes. Undefined when it is not there, or no longer. Aborted,
 * it goes on nevertheless.
 */
export async function tellToScale(path: string, scale: ScaleRequest, signal: AbortSignal): Promise<ScaleAnswer | undefined> {
  const answer = await send(path, { method: 'POST', url: '/scale', body: scale, signal });
  return answer?.body as ScaleAnswer | undefined;
}

interface Question {
  readonly method: string;
  readonly url: string;
  readonly body?: unknown;
  /** When the answer may take its time. Left out: a few seconds. */
  readonly signal?: AbortSignal;
}

/** Undefined when nobody is there. */
async function send(path: string, question: Question): Promise<{ readonly body: unknown } | undefined> {
  try {
    refuseForeign(path);
    return { body: await exchange(path, question) };
  } catch (thrown) {
    question.signal?.throwIfAborted();
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

function exchange(socketPath: string, { method, url, body, signal }: Question): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const patience = signal ? { signal } : { timeout: TIMEOUT_MS };
    const req = request({ socketPath, method, path: url, agent: false, ...patience }, (res) => void readAnswer(res).then(resolve, reject));
    req.on('timeout', () => req.destroy(new Error('it does not answer; end its process and start again')));
    req.on('error', reject);
    req.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function readAnswer(res: IncomingMessage): Promise<unknown> {
  if (res.headers['content-type'] !== 'application/json') {
    await res.resume().toArray();
    return undefined;
  }
  const body = await json(res);
  if ((res.statusCode ?? 0) < 400) return body;
  const { reason, message } = body as ControlError;
  // The reason has travelled as text; one that is not in the catalogue is INTERNAL.
  throw new MeshError(REASONS[reason as Reason] ?? 'INTERNAL', reason, message);
}
