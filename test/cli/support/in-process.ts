import { Writable } from 'node:stream';

import { execute } from '#cli';

import type { Finished } from './mesh-command.ts';
import type { Environment } from './shop-folder.ts';

/** Runs `mesh` within the test's process, which saves the start of another; the code is the same but for the exit. */
export async function meshHere(args: readonly string[], environment: Environment): Promise<Finished> {
  const [stdout, stderr] = [collector(), collector()];
  const outer = process.env;
  process.env = { ...environment };
  try {
    const exitCode = await execute(args, { stdout: stdout.stream, stderr: stderr.stream });
    return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    process.env = outer;
  }
}

function collector(): { stream: Writable; text(): string } {
  let written = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk);
      done();
    },
  });
  return { stream, text: () => written };
}
