import { ANY_SERVICE, type Intention, type IntentionAction } from '#discovery';
import { refusal } from '#kit';
import { pairInWords } from '#mesh';

import { amendRule, withoutPermission } from '../intentions/amend-rule.ts';
import { changeIntention, findIntention } from '../intentions/change-intention.ts';
import { type PermissionFlags, readPermission } from '../intentions/permission-flags.ts';
import { readPair, unknownNames } from '../intentions/read-pair.ts';
import { intentionForPrograms, renderIntention, renderIntentions } from '../intentions/render-intentions.ts';
import { sideEffect } from '../intentions/side-effect.ts';
import { withoutEffect } from '../intentions/without-effect.ts';
import { withControlPlane } from './with-control-plane.ts';
import type { Output } from '../output.ts';

export interface SetIntentionOptions extends PermissionFlags {
  readonly description?: string;
  readonly replace: boolean;
}

export interface IntentionFilter {
  readonly source?: string;
  readonly destination?: string;
}

type Warn = (line: string) => void;

const MAX_DESCRIPTION_BYTES = 512;

/** `mesh intentions list`. */
export async function listIntentionsCommand({ source, destination }: IntentionFilter, output: Output): Promise<void> {
  const every = await withControlPlane(({ intentions }) => intentions.list());
  const wanted = every.filter((known) => (source ?? known.source) === known.source && (destination ?? known.destination) === known.destination);
  output.answer(() => (wanted.length > 0 ? renderIntentions(wanted) : `there are none${every.length > 0 ? ' of these' : ': the default holds for every call'}`), wanted.map(intentionForPrograms));
}

/** `mesh intentions allow` and `deny`. */
export async function setIntentionCommand(action: IntentionAction, sourceText: string, destinationText: string, options: SetIntentionOptions, output: Output, warn: Warn): Promise<void> {
  const pair = await readPair(sourceText, destinationText);
  const permission = readPermission(action, options, pair.path);
  requireOneDestination(pair.destination, permission !== undefined);
  requireShort(options.description);
  await withControlPlane(async (controlPlane) => {
    for (const line of await unknownNames(pair, controlPlane)) warn(line);
    const amendment = { action, permission, replace: options.replace };
    const changed = await changeIntention(controlPlane, pair, options.description, (existing) => amendRule(existing, amendment));
    const effects = permission ? [sideEffect(changed), withoutEffect(changed, permission)] : [];
    for (const effect of effects) if (effect !== undefined) warn(effect);
    answer(changed.intention, output);
  });
}

/** `mesh intentions delete`: to delete what is not there is no error. */
export async function deleteIntentionCommand(sourceText: string, destinationText: string, permission: number | undefined, output: Output): Promise<void> {
  const pair = await readPair(sourceText, destinationText);
  if (pair.path !== undefined) throw refusal('INVALID_ARGUMENT', `an intention is deleted as a whole: write ${pair.destination}, or use --permission to take out one of its permissions`);
  await withControlPlane(async (controlPlane) => {
    const existing = findIntention(await controlPlane.intentions.list(), pair);
    if (!existing) {
      output.answer(() => `there is no intention ${pairInWords(pair)}`, { deleted: [] });
    } else if (permission !== undefined) {
      const changed = await changeIntention(controlPlane, pair, undefined, (known) => withoutPermission(known ?? existing, permission));
      answer(changed.intention, output);
    } else {
      await controlPlane.intentions.delete(pair.source, pair.destination);
      output.answer(() => `deleted: ${pairInWords(pair)}`, { deleted: [intentionForPrograms(existing)] });
    }
  });
}

/** Consul takes permissions for one destination only: for all of them the paths would mean something else. */
function requireOneDestination(destination: string, hasPermission: boolean): void {
  if (destination !== ANY_SERVICE || !hasPermission) return;
  throw refusal('INVALID_ARGUMENT', 'permissions are for one destination: name it instead of *');
}

/** Consul keeps no longer one. */
function requireShort(description = ''): void {
  if (Buffer.byteLength(description) > MAX_DESCRIPTION_BYTES) throw refusal('INVALID_ARGUMENT', `a description has at most ${MAX_DESCRIPTION_BYTES} characters`);
}

function answer(intention: Intention, output: Output): void {
  output.answer(() => renderIntention(intention), intentionForPrograms(intention));
}
