import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';

import { errorCode, MeshError, refusal, type Stoppable } from '#kit';

import type { ControlError, ScaleAnswer, ScaleRequest, SupervisorStatus } from './control-messages.ts';
import { askSupervisor } from './control-socket.ts';

export interface ControlHandlers {
  status(): SupervisorStatus;
  /** The settings that lead to the shop's servers, with their secrets; undefined while it is not up. */
  environment(): Readonly<Record<string, string>> | undefined;
  /** Resolves when it is done. Left out: there is nothing to scale. */
  scale?(request: ScaleRequest): Promise<ScaleAnswer>;
  /** Begins to stop; the socket closes when it is done. */
  stop(): void;
}

/**
 * The supervisor's door for commands in other terminals, and its lock: a Unix socket that
 * only this user may open. A socket nobody answers on is what a killed supervisor left
 * behind, and is taken over. ALREADY_RUNNING when somebody answers.
 */
export async function openControlSocket(path: string, handlers: ControlHandlers): Promise<Stoppable> {
  const server = createServer((req, res) => void route(req, res, handlers).catch((thrown: unknown) => refuse(res, thrown)));
  try {
    await listen(server, path);
  } catch (thrown) {
    if (errorCode(thrown) !== 'EADDRINUSE') throw cannotListen(path, thrown);
    await refuseRunning(path);
    rmSync(path, { force: true });
    await listen(server, path).catch((again: unknown) => {
      throw cannotListen(path, again);
    });
  }
  return { stop: () => close(server) };
}

async function route(req: IncomingMessage, res: ServerResponse, { status, environment, scale, stop }: ControlHandlers): Promise<void> {
  const asked = `${req.method} ${req.url}`;
  if (asked === 'GET /status') answer(res, status());
  else if (asked === 'GET /environment') answer(res, environment());
  // Both ends are this program.
  else if (asked === 'POST /scale' && scale) answer(res, await scale((await json(req)) as ScaleRequest));
  else if (asked === 'POST /stop') {
    res.writeHead(202).end();
    stop();
  } else res.writeHead(404).end();
}

function refuse(res: ServerResponse, thrown: unknown): void {
  const { reason, message } = MeshError.from(thrown);
  const error: ControlError = { reason, message };
  if (!res.headersSent) res.writeHead(409, { 'content-type': 'application/json' }).end(JSON.stringify(error));
}

/** ALREADY_RUNNING when a supervisor answers behind the socket. */
export async function refuseRunning(path: string): Promise<void> {
  const running = await askSupervisor(path);
  if (!running) return;
  throw refusal('ALREADY_RUNNING', `the shop is running already (process ${running.pid}); see \`npx mesh ps\`, or stop it with \`npx mesh down\``, {
    metadata: { pid: String(running.pid) },
  });
}

function cannotListen(path: string, cause: unknown): Error {
  return refusal('START_FAILED', `cannot make the control socket ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

function answer(res: ServerResponse, body: unknown): void {
  if (body === undefined) res.writeHead(503).end();
  else res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // The file is made within the call, and belongs to this user alone from its first moment.
    const before = process.umask(0o177);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
    process.umask(before);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
