import { HTTPException } from 'hono/http-exception';

import { LIMITS } from './limits.ts';
import type { AgentState, KeyRecord } from './records.ts';

export interface Write {
  readonly value: Buffer;
  readonly flags: number;
  /** Write only over this index; 0: only where there is nothing. */
  readonly cas?: number;
}

/** The key-value store, with the rules of Consul's. */
export interface KeyValues {
  get(key: string): KeyRecord | undefined;
  /** Sorted by key. */
  list(prefix: string): readonly KeyRecord[];
  /** False when check-and-set found another index. */
  put(key: string, write: Write): boolean;
  delete(key: string, cas?: number): boolean;
  deletePrefix(prefix: string): void;
  /** What a watch on one key, or on the keys under a prefix, waits on. */
  indexOf(key: string): number;
  indexUnder(prefix: string): number;
}

export function createKeyValues(state: AgentState, changed: () => void): KeyValues {
  // Consul keeps a tombstone for each deleted key; one index for all of them wakes watches once too often, never too seldom.
  let deletedIndex = state.index;
  let latestIndex = state.index;

  const under = (prefix: string): readonly KeyRecord[] =>
    [...state.keys.values()].filter(({ key }) => key.startsWith(prefix));

  function remove(keys: readonly string[]): void {
    if (keys.length === 0) return;
    state.index += 1;
    for (const key of keys) state.keys.delete(key);
    deletedIndex = state.index;
    latestIndex = state.index;
    changed();
  }

  return {
    get: (key) => state.keys.get(key),
    list: (prefix) => under(prefix).toSorted((one, other) => (one.key < other.key ? -1 : 1)),
    put: (key, { value, flags, cas }) => {
      const found = state.keys.get(key);
      if (cas !== undefined && cas !== (found?.modifyIndex ?? 0)) return false;
      const encoded = value.toString('base64');
      // Consul leaves the index as it is when nothing changes, so that no watch wakes.
      if (found && found.value === encoded && found.flags === flags) return true;
      refuseOverflow(state, key, encoded);
      state.index += 1;
      latestIndex = state.index;
      const createIndex = found?.createIndex ?? state.index;
      state.keys.set(key, { key, value: encoded, flags, createIndex, modifyIndex: state.index });
      changed();
      return true;
    },
    delete: (key, cas) => {
      const found = state.keys.get(key);
      if (!found) return true;
      if (cas !== undefined && cas !== found.modifyIndex) return false;
      remove([key]);
      return true;
    },
    deletePrefix: (prefix) => remove(under(prefix).map(({ key }) => key)),
    indexOf: (key) => state.keys.get(key)?.modifyIndex ?? Math.max(1, latestIndex),
    indexUnder: (prefix) => {
      const found = under(prefix);
      return found.length === 0 ? Math.max(1, latestIndex) : Math.max(deletedIndex, ...found.map((key) => key.modifyIndex));
    },
  };
}

function refuseOverflow({ keys }: AgentState, key: string, encoded: string): void {
  const others = [...keys.values()].filter((record) => record.key !== key);
  const bytes = others.reduce((sum, { value }) => sum + Buffer.byteLength(value, 'base64'), Buffer.byteLength(encoded, 'base64'));
  if (others.length < LIMITS.keys && bytes <= LIMITS.storeBytes) return;
  const message = `the embedded agent keeps at most ${LIMITS.keys} keys and ${LIMITS.storeBytes} bytes; delete some, or run Consul`;
  throw new HTTPException(507, { message });
}
