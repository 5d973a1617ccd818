#!/usr/bin/env node
// Plain JavaScript: this file may be run by the machine's own Node, which need not be able to run TypeScript.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';

const OLDEST = 24;
/** Says that standard stream 3 ends with the process that started this one, however that ends. */
const LIFELINE = 'SHOPMESH_LIFELINE';
const root = join(import.meta.dirname, '..');

if (Number(process.versions.node.split('.')[0]) >= OLDEST) {
  if (process.env[LIFELINE]) await endWithStarter();
  // grpc-js would print a line of its own where we say the same in a sentence, such as for a taken port, and one
  // for each bad header that a caller sends: any peer could fill the log.
  process.env.GRPC_VERBOSITY ??= 'NONE';
  // Most of a start is compiling libraries; the cache lies beside them and goes with them.
  module.enableCompileCache(join(root, 'node_modules', '.cache', 'compile'));
  const { run } = await import('./index.ts');
  await run(process.argv.slice(2));
} else {
  runWithOwnNode();
}

/** Node 24 comes as a dependency, so that any Node from 20 on can start us. */
function runWithOwnNode() {
  const node = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  if (!existsSync(node)) {
    process.stderr.write(`error: shopmesh is not installed yet: run \`npm start\`, or \`npm ci\` in ${root} (Node ${OLDEST} comes with its dependencies)\n`);
    process.exit(1);
  }
  const child = spawn(node, [import.meta.filename, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, [LIFELINE]: '3' },
  });
  // A terminal's Ctrl-C reaches the child by itself; what is sent to this process alone is passed on.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => {});
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}

/** Killed with -9, the process that people see would leave this one behind. */
async function endWithStarter() {
  // Not for the processes that this one starts.
  delete process.env[LIFELINE];
  const { Socket } = await import('node:net');
  const line = new Socket({ fd: 3 });
  line.on('error', () => {}).on('close', () => process.kill(process.pid, 'SIGTERM'));
  line.resume().unref();
}
