import type { Intention, IntentionAction } from '../intention.ts';
import type { Caller } from './caller.ts';
import { INTENTIONS_KIND, type IntentionEntry, isSource, matchesOf, toDefaultAction, toEntry, toIntentions } from './intention-wire.ts';
import type { Json } from './intention-permission-wire.ts';
import type { PackageResponse } from './package.ts';
import { answeredIndex, type BlockingAnswer, blockingQuery, type BlockingRead, refuseHiddenResults } from './query.ts';

/** Intentions (https://developer.hashicorp.com/consul/api-docs/connect/intentions), and the entries that hold them. */
export interface IntentionCalls {
  /** What may decide about calls of a destination, strongest first. */
  intentionsOf(destination: string, read: BlockingRead): Promise<BlockingAnswer<readonly Intention[]>>;
  intentions(signal?: AbortSignal): Promise<readonly Intention[]>;
  /** The entry of a destination; undefined where it has no intentions. */
  intentionEntry(destination: string, signal?: AbortSignal): Promise<IntentionEntry | undefined>;
  /** Replaces the entry if it has the index (0: if there is none); false: it has not. */
  putIntentionEntry(destination: string, entry: IntentionEntry, signal?: AbortSignal): Promise<boolean>;
  deleteIntentionEntry(destination: string, index: number, signal?: AbortSignal): Promise<boolean>;
  /** What holds where no intention decides, as the agent's configuration has it; undefined where it does not say. */
  defaultIntention(signal?: AbortSignal): Promise<IntentionAction | undefined>;
}

export function intentionCalls({ call, read, consul }: Caller): IntentionCalls {
  return {
    intentionsOf: (destination, blocking) =>
      read(blocking, async (options) => {
        const query = { by: 'destination', name: destination, ...asText(blockingQuery(blocking)) };
        const response = await consul._get({ ...options, path: '/connect/intentions/match', query });
        return { index: answeredIndex(response), value: matchesOf(response.body, destination) };
      }),
    intentions: async (signal) => {
      const response = await call((options) => consul._get({ path: '/connect/intentions', ...options }), signal);
      const listed = toIntentions(response.body);
      refuseHiddenResults(response, 'every intention');
      return listed;
    },
    intentionEntry: async (destination, signal) => {
      const get = { path: ENTRY_PATH, params: { destination } };
      const response = await call((options) => unlessAbsent(consul._get({ ...get, ...options })), signal);
      return response && toEntry(response.body);
    },
    putIntentionEntry: async (destination, { sources, rest, index }, signal) => {
      const body: Json = { ...rest, Kind: INTENTIONS_KIND, Name: destination, Sources: sources };
      const put = { path: '/config', query: { cas: String(index) }, type: 'json', body } as const;
      return (await call((options) => consul._put({ ...put, ...options }), signal)).body === true;
    },
    deleteIntentionEntry: async (destination, index, signal) => {
      const gone = { path: ENTRY_PATH, params: { destination }, query: { cas: String(index) } };
      return (await call((options) => consul._delete({ ...gone, ...options }), signal)).body === true;
    },
    defaultIntention: async (signal) => {
      const { body } = await call((options) => consul._get({ path: '/agent/self', ...options }), signal);
      return toDefaultAction(body);
    },
  };
}

const ENTRY_PATH = `/config/${INTENTIONS_KIND}/{destination}`;

/** An entry with a source in the place of the one of that name; without it when `source` is undefined. */
export function withSource(entry: IntentionEntry | undefined, name: string, source: Json | undefined): IntentionEntry {
  const { sources, rest, index } = entry ?? { sources: [], rest: {}, index: 0 };
  const others = sources.filter((known) => !isSource(known, name));
  return { sources: source === undefined ? others : [...others, source], rest, index };
}

function asText(query: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));
}

async function unlessAbsent(answer: Promise<PackageResponse>): Promise<PackageResponse | undefined> {
  try {
    return await answer;
  } catch (thrown) {
    if (typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown && thrown.statusCode === 404) return undefined;
    throw thrown;
  }
}
