import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, errorCode, type Log, writeWhole } from '#kit';

import type { IntentionRecord } from './intention-records.ts';
import type { AgentState, KeyRecord, ServiceRecord } from './records.ts';

/** The state on disk. */
export interface StateFile {
  load(): Promise<StoredState | undefined>;
  /** Resolves when what the state is now is on disk. Calls that come while one is written share the next write. */
  save(): Promise<void>;
}

export interface StoredState {
  readonly nodeId: string;
  readonly index: number;
  readonly services: readonly ServiceRecord[];
  readonly keys: readonly KeyRecord[];
  /** Not in a file that an older version has written. */
  readonly intentions?: readonly IntentionRecord[];
}

const FORMAT = 1;

/** `agent.json` in the folder, written whole each time: to a second file first, which then takes its place. */
export function createStateFile(folder: string, current: () => AgentState, clock: Clock, log: Log): StateFile {
  const path = join(folder, 'agent.json');
  let writing: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  async function write(): Promise<void> {
    next = undefined;
    const { nodeId, index, services, keys, intentions } = current();
    const lists = { services: [...services.values()], keys: [...keys.values()], intentions: [...intentions.values()] };
    await writeWhole(path, JSON.stringify({ format: FORMAT, nodeId, index, ...lists }), `${path}.new`);
  }

  return {
    load: async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
        if (errorCode(thrown) === 'ENOENT') return undefined;
        throw thrown;
      });
      if (text === undefined) return undefined;
      const stored = parse(text);
      if (stored) return stored;
      const kept = `${path}.damaged-${clock.now()}`;
      await rename(path, kept);
      log.warn({ kept }, 'the state of the embedded agent cannot be read; starting with none');
      return undefined;
    },
    save: () => {
      if (next) return next;
      next = writing.then(write);
      // A write that failed is its callers' failure, not the next one's.
      writing = next.catch(() => undefined);
      return next;
    },
  };
}

function parse(text: string): StoredState | undefined {
  try {
    const stored: unknown = JSON.parse(text);
    const isOurs = typeof stored === 'object' && stored !== null && 'format' in stored && stored.format === FORMAT;
    // Our own format, written by the function above; nobody else may write the file.
    return isOurs ? (stored as unknown as StoredState) : undefined;
  } catch {
    return undefined;
  }
}
