import { MeshError, refusal } from '#kit';

import type { Intention, IntentionAction, IntentionStore } from '../intention.ts';
import { failureKind } from './failure.ts';
import { type IntentionCalls, withSource } from './intention-calls.ts';
import { fromIntention, type IntentionEntry, isSource } from './intention-wire.ts';
import type { SharedWatch } from './shared-watch.ts';

/** How often a change is tried again that another writer overtakes. */
const MAX_ATTEMPTS = 8;

/**
 * Intentions in the configuration entries of Consul. `/v1/connect/intentions/exact` writes one
 * intention, also with permissions, but has no check-and-set: of two operators who each add a
 * permission to the same intention one would lose his. An entry has it, for all intentions of a
 * destination together, and what we do not know in it goes back as it came.
 */
export function createIntentionStore(consul: IntentionCalls, watches: { of(destination: string): SharedWatch<readonly Intention[]> }): IntentionStore {
  return {
    watch: (destination, listener) =>
      watches.of(destination).subscribe({
        onValue: (intentions) => listener.onIntentions(intentions),
        onError: (error) => listener.onError(error),
      }),
    list: consul.intentions,
    set: (intention, expectedIndex, signal) =>
      change(consul, intention.destination, expectedIndex, signal, async (entry) => {
        const wanted = withSource(entry, intention.source, fromIntention(intention));
        return consul.putIntentionEntry(intention.destination, wanted, signal).catch((thrown: unknown) => {
          throw explained(thrown, intention.destination);
        });
      }),
    delete: (source, destination, expectedIndex, signal) =>
      change(consul, destination, expectedIndex, signal, async (entry) => {
        if (!entry?.sources.some((known) => isSource(known, source))) return true;
        const left = withSource(entry, source, undefined);
        // An entry has at least one source.
        if (left.sources.length === 0) return consul.deleteIntentionEntry(destination, entry.index, signal);
        return consul.putIntentionEntry(destination, left, signal);
      }),
    defaultAction: (signal) => defaultAction(consul, signal),
  };
}

/** Reads the entry, writes it over what was read, and does so again when somebody was faster. */
async function change(
  consul: IntentionCalls,
  destination: string,
  expectedIndex: number | undefined,
  signal: AbortSignal | undefined,
  write: (entry: IntentionEntry | undefined) => Promise<boolean>,
): Promise<boolean> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const entry = await consul.intentionEntry(destination, signal);
    if (expectedIndex !== undefined && expectedIndex !== (entry?.index ?? 0)) return false;
    if (await write(entry)) return true;
    if (expectedIndex !== undefined) return false;
  }
  throw refusal('CONTROL_PLANE_UNAVAILABLE', `others keep changing the intentions of ${destination}; nothing was written, try again`);
}

/** The configuration is for tokens that may read the agent: for others it is not known, which is no failure. */
async function defaultAction(consul: IntentionCalls, signal?: AbortSignal): Promise<IntentionAction | undefined> {
  try {
    return await consul.defaultIntention(signal);
  } catch (thrown) {
    const error = MeshError.from(thrown);
    if (failureKind(error) === 'refused') return undefined;
    throw error;
  }
}

/** Consul keeps permissions only for a service that it takes for one of HTTP, and says so without the remedy. */
function explained(thrown: unknown, destination: string): unknown {
  const error = MeshError.from(thrown);
  if (!error.message.includes('incompatible with L7 intentions')) return thrown;
  const message =
    `Consul takes permissions only for services that it knows to speak HTTP or gRPC. Tell it once for all of them: ` +
    `{"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "grpc"}} to \`consul config write -\`, or for this one ` +
    `{"Kind": "service-defaults", "Name": "${destination}", "Protocol": "grpc"}`;
  return refusal('PERMISSIONS_NOT_TAKEN', message, { metadata: { destination }, cause: error });
}
