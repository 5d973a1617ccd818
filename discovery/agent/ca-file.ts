import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, errorCode, type Log, writeWhole } from '#kit';

import type { CaState } from './ca-records.ts';

/** The authority on disk. */
export interface CaFile {
  load(): Promise<CaState | undefined>;
  save(state: CaState): Promise<void>;
}

const FORMAT = 1;

/** `connect-ca.json` in the folder, with the key of the root: only its owner may read it. */
export function createCaFile(folder: string, clock: Clock, log: Log): CaFile {
  const path = join(folder, 'connect-ca.json');
  return {
    load: async () => {
      const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
        if (errorCode(thrown) === 'ENOENT') return undefined;
        throw thrown;
      });
      const stored = text === undefined ? undefined : parse(text);
      if (text === undefined || stored) return stored;
      const kept = `${path}.damaged-${clock.now()}`;
      await rename(path, kept);
      log.warn({ kept }, 'the certificate authority of the embedded agent cannot be read; a new one begins, and earlier certificates are worth nothing');
      return undefined;
    },
    save: (state) => writeWhole(path, JSON.stringify({ format: FORMAT, ...state })),
  };
}

function parse(text: string): CaState | undefined {
  try {
    const stored: unknown = JSON.parse(text);
    const isOurs = typeof stored === 'object' && stored !== null && 'format' in stored && stored.format === FORMAT;
    // Our own format, written by the function above; nobody else may write the file.
    return isOurs ? (stored as unknown as CaState) : undefined;
  } catch {
    return undefined;
  }
}
