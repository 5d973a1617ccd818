import type { ControlPlane, InstanceHealth, IntentionAction } from '#discovery';

import { askAsOperator } from '../status/ask-as-operator.ts';
import type { DenialFacts, GuardFacts, UncertifiedFacts } from '../status/guard-facts.ts';

/** Instances that are asked at most, so that a large mesh is not asked as a whole by one command. */
const MAX_ASKED = 64;

/** What the guards of instances have met, all together. */
export interface Guarded {
  /** Instances that were asked, and how many of them said something. */
  readonly asked: number;
  readonly answered: number;
  /** What they go by where no intention decides; several where they differ. */
  readonly defaults: readonly IntentionAction[];
  readonly denials: readonly (DenialFacts & { readonly destination: string })[];
  readonly withoutCertificate: readonly (UncertifiedFacts & { readonly destination: string; readonly refused: boolean })[];
  /** Calls that are counted and in no entry. */
  readonly otherDeniedCalls: number;
  readonly otherCallsWithoutCertificate: number;
}

/** Asks the instances of a service, or of all, what their guards have met since they started. `onTrouble` is told why some cannot be asked. */
export async function askGuards(controlPlane: ControlPlane, service: string | undefined, onTrouble: (line: string) => void): Promise<Guarded> {
  const instances = (await controlPlane.listInstances()).filter((instance) => (service ?? instance.service) === instance.service).slice(0, MAX_ASKED);
  const ask = askAsOperator(controlPlane, ({ message }) => onTrouble(`instances cannot be asked whom they have refused: ${message}`));
  const answers = await Promise.all(instances.map(async (instance) => ({ instance, guard: (await ask(instance))?.guard })));
  const guarded = answers.flatMap(({ instance, guard }) => (guard ? [{ instance, guard }] : []));
  return {
    ...{ asked: instances.length, answered: guarded.length },
    defaults: [...new Set(guarded.flatMap(({ guard }) => guard.defaultAction ?? []))],
    denials: together(guarded.flatMap(({ instance, guard }) => guard.denials.map((entry) => ({ ...entry, destination: instance.service })))),
    withoutCertificate: together(guarded.flatMap(withoutCertificate)),
    otherDeniedCalls: guarded.reduce((sum, { guard }) => sum + guard.otherDeniedCalls, 0),
    otherCallsWithoutCertificate: guarded.reduce((sum, { guard }) => sum + guard.otherCallsWithoutCertificate, 0),
  };
}

function withoutCertificate({ instance, guard }: { readonly instance: InstanceHealth; readonly guard: GuardFacts }) {
  return guard.withoutCertificate.map((entry) => ({ ...entry, destination: instance.service, refused: !guard.permissive }));
}

/** What several instances have met alike is one entry; the latest first. */
function together<E extends { readonly calls: number; readonly firstMs: number; readonly lastMs: number }>(entries: readonly E[]): readonly E[] {
  const alike = Map.groupBy(entries, ({ calls: _calls, firstMs: _first, lastMs: _last, ...what }) => JSON.stringify(what));
  const merged = [...alike.values()].map((group) =>
    group.reduce((one, other) => ({ ...one, calls: one.calls + other.calls, firstMs: Math.min(one.firstMs, other.firstMs), lastMs: Math.max(one.lastMs, other.lastMs) })),
  );
  return merged.toSorted((one, other) => other.lastMs - one.lastMs);
}
