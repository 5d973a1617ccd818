import { ANY_SERVICE, type Intention } from '#discovery';
import { createIntentions, intentionRequest, verdictInWords } from '#mesh';

import type { Changed } from './change-intention.ts';
import { quoted } from './quoted.ts';

/** A path that no permission but one for every path is for. */
const OTHER_CALL = intentionRequest('/-/-', {});
/** A service that no intention names. */
export const OTHER_SERVICE = '-';

/**
 * What a new permission does to the calls that it is not for: an intention with permissions
 * takes the place of the weaker ones also for those, and leaves them to the default. Undefined
 * when they fare as before.
 */
export function sideEffect({ before, after, intention, defaultAction }: Changed): string | undefined {
  const source = nameOf(intention.source);
  const destination = nameOf(intention.destination);
  const verdictOf = (intentions: readonly Intention[]) => createIntentions(intentions, defaultAction).check(source, destination, OTHER_CALL);
  const [was, is] = [verdictOf(before), verdictOf(after)];
  if (was.allowed === is.allowed) return undefined;
  const again = `npx mesh intentions ${was.allowed ? 'allow' : 'deny'} ${quoted(intention.source)} ${quoted(intention.destination)} --path-prefix /`;
  return (
    `other calls of this pair were ${was.allowed ? 'allowed' : 'denied'} by ${verdictInWords(was)}, and are now ` +
    `${is.allowed ? 'allowed' : 'denied'} by ${verdictInWords(is)}; to have that back: ${again}`
  );
}

function nameOf(name: string): string {
  return name === ANY_SERVICE ? OTHER_SERVICE : name;
}
