import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { LogLine } from './captured-log.ts';
import type { Outcome, Scenario } from './traced-process.ts';

/** Runs a process that traces one span and stops tracing; it must end by itself. */
export async function runAndStop(scenario: Scenario): Promise<Outcome & { readonly lines: LogLine[] }> {
  const program = fileURLToPath(new URL('traced-process.ts', import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(scenario)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const [output, errors] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
  ]);
  await ended;
  const lines = errors.join('').split('\n').filter(Boolean);
  if (child.exitCode !== 0) throw new Error(`the traced process failed:\n${lines.join('\n')}`);
  // The program's own output, and one JSON object a line of log.
  return { ...(JSON.parse(output.join('')) as Outcome), lines: lines.map((line) => JSON.parse(line) as LogLine) };
}
