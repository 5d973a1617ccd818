import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import type { ChurnReport, HostileReport, LoadProgress, LoadReport, NodeReport } from './messages.ts';

type Heard = LoadProgress | NodeReport | LoadReport | ChurnReport | HostileReport | { readonly kind: 'ready' };

/** The next message of this kind. Rejects when the process ends before it. */
export function heard<K extends Heard['kind']>(child: ChildProcess, kind: K): Promise<Extract<Heard, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      child.off('message', listen);
      child.off('exit', fail);
    };
    const listen = (message: unknown): void => {
      // Our own programs send nothing else.
      const report = message as Heard;
      if (report.kind !== kind) return;
      stop();
      resolve(report as Extract<Heard, { kind: K }>);
    };
    const fail = (code: number | null): void => {
      stop();
      reject(new Error(`a program of the run ended (${code}) before it said ${kind}`));
    };
    child.on('message', listen);
    child.once('exit', fail);
  });
}

export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Ends it, unless it has ended. */
export async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
