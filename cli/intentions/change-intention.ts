import type { ControlPlane, Intention, IntentionAction, WantedIntention } from '#discovery';
import { refusal } from '#kit';

import type { WantedRule } from './amend-rule.ts';

/** What there was, and what there is now. */
export interface Changed {
  readonly before: readonly Intention[];
  readonly after: readonly Intention[];
  readonly intention: Intention;
  /** The default of the control plane; `deny`, the careful guess, where it does not say. */
  readonly defaultAction: IntentionAction;
}

interface Names {
  readonly source: string;
  readonly destination: string;
}

/** How often it is tried again when others change the same destination. */
const MAX_ATTEMPTS = 5;

/** Changes one intention from what it is to what `amend` makes of it; of two who do so at once none loses a change. */
export async function changeIntention(
  { intentions }: ControlPlane,
  { source, destination }: Names,
  description: string | undefined,
  amend: (existing: Intention | undefined) => WantedRule,
): Promise<Changed> {
  const defaultAction = (await intentions.defaultAction()) ?? 'deny';
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const before = await intentions.list();
    const existing = findIntention(before, { source, destination });
    const rule = amend(existing);
    const wanted: WantedIntention = { source, destination, rule, description: description ?? existing?.description ?? '' };
    const index = before.find((known) => known.destination === destination)?.index ?? 0;
    if (!(await intentions.set(wanted, index))) continue;
    const after = await intentions.list();
    const intention = findIntention(after, { source, destination });
    if (intention) return { before, after, intention, defaultAction };
  }
  throw refusal('CONTROL_PLANE_UNAVAILABLE', `others keep changing the intentions of ${destination}; see \`npx mesh intentions list\`, and try again`);
}

export function findIntention(intentions: readonly Intention[], { source, destination }: Names): Intention | undefined {
  return intentions.find((known) => known.source === source && known.destination === destination && known.elsewhere === undefined);
}
