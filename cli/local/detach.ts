import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

import { MeshError, refusal, type Reason, REASONS } from '#kit';

import type { Output } from '../output.ts';
import type { Resolved } from '../settings.ts';
import { askSupervisor } from './control-socket.ts';
import type { DataFolder } from './data-folder.ts';

const LAUNCHER = join(import.meta.dirname, '..', 'mesh.js');

type Told = { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly reason: string; readonly message: string };

/** Starts the shop in a process of its own and returns when everything is ready, or throws the reason why not. */
export async function detach(settings: Resolved, folder: DataFolder, { demo = false }: { demo?: boolean }, output: Output): Promise<void> {
  const logPath = join(folder.logs, 'up.log');
  const log = openSync(logPath, 'w', 0o600);
  const args = ['up', '--topology', settings.values.MESH_TOPOLOGY, ...(demo ? ['--demo'] : [])];
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: { ...process.env, MESH_DATA_DIR: folder.path },
  });
  closeSync(log);
  const told = await new Promise<Told>((resolve) => {
    child.once('message', (message) => resolve(message as Told));
    child.once('exit', () => resolve({ kind: 'failed', reason: 'START_FAILED', message: `the shop ended while it started; see ${logPath}` }));
  });
  if (child.connected) child.disconnect();
  child.unref();
  if (told.kind === 'failed') throw new MeshError(REASONS[told.reason as Reason] ?? 'INTERNAL', told.reason, told.message);
  const status = await askSupervisor(folder.controlSocket);
  if (!status) throw refusal('START_FAILED', `the shop ended right after its start; see ${logPath}`);
  output.answer(() => `the shop is up (process ${status.pid}); see \`npx mesh ps\`, stop it with \`npx mesh down\``, status);
}

/** Tells whoever started this process detached how it went; without such a starter, nothing. */
export function tellStarter(told: Told): void {
  if (!process.connected) return;
  process.send?.(told, () => process.connected && process.disconnect());
}
