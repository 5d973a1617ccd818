import { ANY_SERVICE, type IntentionPermission } from '#discovery';
import { createIntentions, intentionRequest, verdictInWords } from '#mesh';

import type { Changed } from './change-intention.ts';
import { quoted } from './quoted.ts';
import { OTHER_SERVICE } from './side-effect.ts';

/**
 * That calls which a new permission allows stay denied, as a denial of the same intention goes before it. Undefined where they
 * do not, and where it takes more than the path to know: a pattern, or headers.
 */
export function withoutEffect({ after, intention, defaultAction }: Changed, { action, path, headers }: IntentionPermission): string | undefined {
  if (action === 'deny' || !path || path.kind === 'regex' || headers.length > 0) return undefined;
  const { source, destination } = intention;
  const verdict = createIntentions(after, defaultAction).check(source === ANY_SERVICE ? OTHER_SERVICE : source, destination, intentionRequest(path.value, {}));
  if (verdict.allowed || verdict.by === 'default') return undefined;
  const said = `this changes nothing: ${path.value} is denied by ${verdictInWords(verdict)}, which goes first`;
  return verdict.permission === undefined ? said : `${said}; to take that out: npx mesh intentions delete ${quoted(source)} ${quoted(destination)} --permission ${verdict.permission}`;
}
