import type { PolicyStore } from '#discovery';
import type { Clock, Log, Stoppable } from '#kit';

import type { Policies } from './call-policy.ts';
import { DOCUMENTS_PREFIX } from './document-key.ts';
import { createDocumentShelf } from './document-shelf.ts';
import { layersFor, type Voices } from './effective-policy.ts';
import { createExpiryAlarm } from './expiry-alarm.ts';
import type { FaultsInForce, OrderedFault } from './fault.ts';
import { readFaultDocument } from './fault-document.ts';
import { createLiveValues } from './live-values.ts';
import { type Layer, mergeSections } from './merge.ts';
import { readPolicyDocument } from './policy-document.ts';
import { readPolicySettings } from './policy-settings.ts';
import { DESTINATION_SECTIONS, METHOD_SECTIONS, SERVER_SECTIONS } from './sections.ts';
import type { Target } from './target.ts';

export interface LivePoliciesOptions {
  readonly store: Pick<PolicyStore, 'watch'>;
  /** MESH_POLICY. */
  readonly settings: string;
  /** MESH_FAULTS; false: no fault is in force, whatever is ordered. */
  readonly faultsAllowed: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export interface LivePolicies extends Policies, FaultsInForce, Stoppable {
  /** Resolves once the control plane has said what holds, or that it cannot be asked; then the settings hold. Never rejects. */
  readonly ready: Promise<void>;
}

/**
 * What operators want of this process's calls, as it is now: documents under one watch, over the setting, over the
 * defaults. What was heard last holds while the control plane is away. Throws INVALID_SETTING where the setting is malformed.
 */
export function createLivePolicies({ store, settings, faultsAllowed, clock, log }: LivePoliciesOptions): LivePolicies {
  const policies = createDocumentShelf({ kind: 'policy', read: readPolicyDocument, log });
  const faults = createDocumentShelf({ kind: 'fault', read: (target, json) => readFaultDocument(target, json, clock.now()), log });
  const voices: Voices = { documents: policies.documents, settings: readPolicySettings(settings) };

  function faultsOf(service: string): readonly OrderedFault[] {
    if (!faultsAllowed) return [];
    return [...faults.documents.values()].filter((fault) => fault.service === service && fault.untilMs > clock.now());
  }

  const numbers = liveNumbers((target) => layersFor(target, voices, clock.now()));
  const inForce = createLiveValues(({ service, method }) => Object.freeze(faultsOf(service).filter((fault) => (fault.method ?? method) === method)));
  const alarm = createExpiryAlarm(clock, refresh);

  function refresh(): void {
    for (const values of [numbers.methods, numbers.destinations, numbers.servers, inForce]) values.refresh();
    const lasting = [...voices.documents.values(), ...voices.settings.values()].map(({ expiresMs }) => expiresMs);
    alarm.set([...lasting, ...[...faults.documents.values()].map(({ untilMs }) => untilMs)]);
  }

  const { promise: ready, resolve: heard } = Promise.withResolvers<void>();
  const watch = store.watch(DOCUMENTS_PREFIX, {
    onPolicies(listed) {
      policies.put(listed);
      faults.put(listed);
      refresh();
      heard();
    },
    // What was heard last holds; discovery has logged that nobody can be asked.
    onError: () => heard(),
  });
  refresh();
  return {
    method: (service, method) => numbers.methods.of({ service, method }),
    destination: (service) => numbers.destinations.of({ service, method: undefined }),
    server: (service) => numbers.servers.of({ service, method: undefined }),
    of: (service, method) => inForce.of({ service, method }),
    ready,
    allowed: faultsAllowed,
    faultsOf,
    async stop() {
      alarm.stop();
      await watch.stop();
    },
  };
}

/** The numbers of every mechanism for whatever target they are asked for. */
function liveNumbers(layersOf: (target: Target) => readonly Layer[]) {
  return {
    methods: createLiveValues((target) => mergeSections(METHOD_SECTIONS, layersOf(target))),
    destinations: createLiveValues((target) => mergeSections(DESTINATION_SECTIONS, layersOf(target))),
    servers: createLiveValues((target) => mergeSections(SERVER_SECTIONS, layersOf(target))),
  };
}
