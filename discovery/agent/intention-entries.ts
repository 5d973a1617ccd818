import { HTTPException } from 'hono/http-exception';

import type { IntentionRecord, IntentionWrite, SourceRecord } from './intention-records.ts';
import { LIMITS } from './limits.ts';
import type { AgentState } from './records.ts';
import { sortSources } from './intention-request.ts';

const ANY = '*';

/** One intention: a source of an entry. */
export interface StoredIntention {
  readonly entry: IntentionRecord;
  readonly source: SourceRecord;
}

/** The intentions, with the rules of Consul's configuration entries. */
export interface IntentionEntries {
  get(name: string): IntentionRecord | undefined;
  /** Sorted by name. */
  entries(): readonly IntentionRecord[];
  /** False when check-and-set found another index; 0: only where there is none. */
  put(write: IntentionWrite, cas?: number): boolean;
  /** False when check-and-set found another index; true also where there was none. */
  delete(name: string, cas?: number): boolean;
  /** Sets one intention and leaves the destination's others; undefined takes it away. */
  setSource(destination: string, name: string, source: SourceRecord | undefined): void;
  /** Every one, or those that may decide about calls from or to a service: the strongest first. */
  list(): readonly StoredIntention[];
  matching(by: 'source' | 'destination', service: string): readonly StoredIntention[];
  /** Of the latest change of any: what Consul, too, lets every watch on intentions wait on. */
  latestIndex(): number;
}

export function createIntentionEntries(state: AgentState, changed: () => void): IntentionEntries {
  let latestIndex = state.index;

  function store(name: string, next: (index: number) => IntentionRecord | undefined): void {
    state.index += 1;
    latestIndex = state.index;
    const record = next(state.index);
    if (record) state.intentions.set(name, record);
    else state.intentions.delete(name);
    changed();
  }

  function put({ name, sources, meta }: IntentionWrite, cas?: number): boolean {
    const found = state.intentions.get(name);
    if (cas !== undefined && cas !== (found?.modifyIndex ?? 0)) return false;
    // As with keys: what is the same already wakes nobody.
    if (found && JSON.stringify([found.sources, found.meta]) === JSON.stringify([sources, meta])) return true;
    refuseOverflow(state, name);
    store(name, (index) => ({ name, sources, meta, createIndex: found?.createIndex ?? index, modifyIndex: index }));
    return true;
  }

  function remove(name: string, cas?: number): boolean {
    const found = state.intentions.get(name);
    if (cas !== undefined && cas !== (found?.modifyIndex ?? cas)) return false;
    if (found) store(name, () => undefined);
    return true;
  }

  const list = (): readonly StoredIntention[] =>
    [...state.intentions.values()].flatMap((entry) => entry.sources.map((source) => ({ entry, source }))).sort(byPrecedence);

  return {
    get: (name) => state.intentions.get(name),
    entries: () => [...state.intentions.values()].sort((one, other) => (one.name < other.name ? -1 : 1)),
    put,
    delete: remove,
    setSource: (name, sourceName, source) => {
      const found = state.intentions.get(name);
      const others = found?.sources.filter((known) => known.Name !== sourceName) ?? [];
      const sources = sortSources(source ? [...others, source] : others);
      if (sources.length > 0) put({ name, sources, meta: found?.meta ?? {} });
      else remove(name);
    },
    list,
    matching: (by, service) =>
      list().filter(({ entry, source }) => [service, ANY].includes(by === 'source' ? source.Name : entry.name)),
    latestIndex: () => latestIndex,
  };
}

/** Of equal strength by names, as in Consul: the order then changes nothing but what a reader sees. */
function byPrecedence(one: StoredIntention, other: StoredIntention): number {
  const names = ({ source, entry }: StoredIntention): string => `${source.Name}\0${entry.name}`;
  return other.source.Precedence - one.source.Precedence || (names(one) < names(other) ? -1 : 1);
}

function refuseOverflow({ intentions }: AgentState, name: string): void {
  if (intentions.has(name) || intentions.size < LIMITS.intentionEntries) return;
  const message = `the embedded agent keeps intentions for at most ${LIMITS.intentionEntries} destinations; delete some, or run Consul`;
  throw new HTTPException(507, { message });
}
