import type { ChildProcess } from 'node:child_process';

import { ended, hasEnded, heard } from './child.ts';
import type { NodeOrder, NodeReading } from './messages.ts';

/** One instance of the called service, in a process of its own. */
export interface Node {
  readonly name: string;
  readonly port: number;
  order(order: NodeOrder): void;
  read(): Promise<NodeReading>;
  hasEnded(): boolean;
  /** SIGTERM; resolves when the process has ended. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export function nodeOf(name: string, port: number, child: ChildProcess): Node {
  return {
    name,
    port,
    order: (order) => void child.send(order),
    read() {
      child.send({ kind: 'read' } satisfies NodeOrder);
      return heard(child, 'reading');
    },
    hasEnded: () => hasEnded(child),
    stop: () => ended(child, 'SIGTERM'),
    kill: () => ended(child, 'SIGKILL'),
  };
}
