import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

import { heard } from './child.ts';
import type { LoadOrder, LoadReport } from './messages.ts';

/** A load that has found the service, and waits for its turn. */
export interface Load {
  /** Resolves with every call, once the last one is answered. */
  run(): Promise<LoadReport>;
  /** Sends nothing more. */
  end(): void;
  /** Resolves once so many more calls were answered. */
  answered(count: number): Promise<void>;
  /** Resolves once this instance has answered; also when it has not within `withinMs`. */
  answeredBy(instance: string, withinMs: number): Promise<void>;
}

/** How often a load is asked how far it is. */
const ASK_MS = 50;

export function loadOf(child: ChildProcess): Load {
  const tell = (order: LoadOrder): void => void child.send(order);
  async function progress(): Promise<Readonly<Record<string, number>>> {
    tell({ kind: 'tell' });
    return (await heard(child, 'progress')).answered;
  }
  const total = (answered: Readonly<Record<string, number>>): number => Object.values(answered).reduce((sum, count) => sum + count, 0);
  return {
    run() {
      tell({ kind: 'go' });
      return heard(child, 'done');
    },
    end: () => tell({ kind: 'end' }),
    async answered(count) {
      const before = total(await progress());
      while (total(await progress()) < before + count) await delay(ASK_MS);
    },
    async answeredBy(instance, withinMs) {
      const end = Date.now() + withinMs;
      while (!(await progress())[instance] && Date.now() < end) await delay(ASK_MS);
    },
  };
}
