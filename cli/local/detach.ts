import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

import { MeshError, refusal, type Reason, REASONS } from '#kit';

import type { Output } from '../output.ts';
import type { Resolved } from '../settings.ts';
import { INTERRUPTED, whenSignalled } from '../signals.ts';
import { refuseRunning } from './control-server.ts';
import { askSupervisor } from './control-socket.ts';
import type { DataFolder } from './data-folder.ts';

const LAUNCHER = join(import.meta.dirname, '..', 'mesh.js');

type Told = { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly reason: string; readonly message: string };

/**
 * Starts the shop in a process of its own and returns when everything is ready, or throws
 * the reason why not. A signal stops what has been started; the exit code says so.
 */
export async function detach(settings: Resolved, folder: DataFolder, { demo = false }: { demo?: boolean }, output: Output): Promise<number> {
  // Before the log of the one that runs is overwritten.
  await refuseRunning(folder.controlSocket);
  const logPath = join(folder.logs, 'up.log');
  const args = ['up', '--detached', '--topology', settings.values.MESH_TOPOLOGY, ...(demo ? ['--demo'] : [])];
  const child = launch(args, { ...process.env, MESH_DATA_DIR: folder.path }, logPath);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const signalled = whenSignalled(['SIGINT', 'SIGTERM', 'SIGHUP']);
  const told = await Promise.race([whatItTells(child, exited, logPath), signalled]);
  if (!told) {
    child.kill('SIGTERM');
    await exited;
    return INTERRUPTED;
  }
  if (told.kind === 'failed') {
    // It still stops what it has started.
    await exited;
    // The reason has travelled as text; one that is not in the catalogue is INTERNAL.
    throw new MeshError(REASONS[told.reason as Reason] ?? 'INTERNAL', told.reason, told.message);
  }
  if (child.connected) child.disconnect();
  child.unref();
  const status = await askSupervisor(folder.controlSocket);
  if (!status) throw refusal('START_FAILED', `the shop ended right after its start; see ${logPath}`);
  const shown = demo ? 'the sample order and all else that it says are' : 'what it says is';
  output.answer(() => `the shop is up (process ${status.pid}); ${shown} in ${logPath}; see \`npx mesh ps\`, stop it with \`npx mesh down\``, status);
  return 0;
}

function launch(args: readonly string[], env: NodeJS.ProcessEnv, logPath: string): ChildProcess {
  const log = openSync(logPath, 'w', 0o600);
  try {
    return spawn(process.execPath, [LAUNCHER, ...args], { detached: true, stdio: ['ignore', log, log, 'ipc'], env });
  } finally {
    closeSync(log);
  }
}

function whatItTells(child: ChildProcess, exited: Promise<void>, logPath: string): Promise<Told> {
  return new Promise((resolve) => {
    // Both ends are this program.
    child.once('message', (message) => resolve(message as Told));
    void exited.then(() => resolve({ kind: 'failed', reason: 'START_FAILED', message: `the shop ended while it started; see ${logPath}` }));
  });
}

/** Tells whoever started this process detached how it went, and lets go of it. */
export function tellStarter(told: Told): void {
  if (!process.connected) return;
  process.send?.(told, () => process.connected && process.disconnect());
}
