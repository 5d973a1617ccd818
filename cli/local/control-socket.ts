import { chmodSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { json } from 'node:stream/consumers';

import { errorCode, refusal, type Stoppable } from '#kit';
import type { ModuleName } from '#modules';

/** One process under the supervisor. */
export interface ProcessStatus {
  readonly name: string;
  readonly pid: number | undefined;
  readonly state: 'starting' | 'ready' | 'restarting' | 'stopping';
  readonly services: readonly ModuleName[];
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
  /** Where this supervisor's own calls send their spans. */
  readonly otlpEndpoint: string;
  readonly processes: readonly ProcessStatus[];
}

export interface ControlHandlers {
  status(): SupervisorStatus;
  /** Begins to stop; the socket closes when it is done. */
  stop(): void;
}

/**
 * The supervisor's door for `mesh down` and `mesh ps`, and its lock: a Unix socket that
 * only this user may open. A socket nobody answers on is what a killed supervisor left
 * behind, and is taken over. ALREADY_RUNNING when somebody answers.
 */
export async function openControlSocket(path: string, handlers: ControlHandlers): Promise<Stoppable> {
  const running = await askSupervisor(path);
  if (running) {
    throw refusal('ALREADY_RUNNING', `the shop is running already (process ${running.pid}); see \`npx mesh ps\`, or stop it with \`npx mesh down\``);
  }
  rmSync(path, { force: true });
  const server = createServer((req, res) => {
    if (req.method === 'POST' && req.url === '/stop') {
      res.writeHead(202).end();
      handlers.stop();
    } else if (req.method === 'GET' && req.url === '/status') {
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(handlers.status()));
    } else res.writeHead(404).end();
  });
  await listen(server, path);
  chmodSync(path, 0o600);
  return { stop: () => close(server) };
}

/** The status of the supervisor behind a socket; undefined when there is none. */
export async function askSupervisor(path: string): Promise<SupervisorStatus | undefined> {
  try {
    // Both ends are this program.
    return (await send(path, 'GET', '/status')) as SupervisorStatus;
  } catch (thrown) {
    const code = errorCode(thrown);
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw thrown;
  }
}

/** Tells the supervisor to stop. */
export async function tellToStop(path: string): Promise<void> {
  await send(path, 'POST', '/stop');
}

function send(socketPath: string, method: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const req = request({ socketPath, method, path, timeout: 5_000, agent: false }, (res) => {
      if (res.headers['content-type'] === 'application/json') json(res).then(resolve, reject);
      else res.resume().on('end', () => resolve(undefined));
    });
    req.on('timeout', () => req.destroy(new Error(`the supervisor behind ${socketPath} does not answer; end its process and start again`)));
    req.on('error', reject);
    req.end();
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
