import { ANY_SERVICE, type IntentionAction } from '#discovery';
import { refusal } from '#kit';
import { createIntentions, type Headers } from '#mesh';

import { readHeader } from '../calling/header.ts';
import { askGuards } from '../intentions/ask-guards.ts';
import { answerForPrograms, explain, renderAnswer, renderMethods } from '../intentions/explain.ts';
import { pathsOf, readPair, unknownNames } from '../intentions/read-pair.ts';
import { refusedSoFar } from '../intentions/refused-so-far.ts';
import { withControlPlane } from './with-control-plane.ts';
import type { Output } from '../output.ts';

export interface WhyOptions {
  readonly path?: string;
  /** Each such as `x-role:staff`; see `mesh call`. */
  readonly header: readonly string[];
}

/** `mesh why order payment.Charge`. Resolves with the answer; of a whole service with whether every method is allowed. */
export async function whyCommand(sourceText: string, destinationText: string, options: WhyOptions, output: Output, warn: (line: string) => void): Promise<boolean> {
  const pair = await readPair(sourceText, destinationText);
  for (const name of [pair.source, pair.destination]) {
    if (name === ANY_SERVICE) throw refusal('INVALID_ARGUMENT', 'name the services: * is a rule and calls nobody; see `npx mesh intentions list`');
  }
  const headers = readHeaders(options.header);
  const asked = await targetsOf(destinationText, pair.path, options.path);
  return withControlPlane(async (controlPlane) => {
    for (const line of await unknownNames(pair, controlPlane)) warn(line);
    const [listed, defaultAction, guarded] = await Promise.all([
      controlPlane.intentions.list(),
      controlPlane.intentions.defaultAction(),
      askGuards(controlPlane, pair.destination, warn),
    ]);
    const byDefault = defaultOf(guarded.defaults, defaultAction);
    const intentions = createIntentions(listed, byDefault.action);
    const answers = [...asked].map(([target, path]) => ({
      ...explain({ ...pair, target, path, headers }, intentions),
      refused: refusedSoFar(guarded, pair.source, path),
    }));
    if (byDefault.doubt !== undefined && answers.some(({ verdict }) => verdict.by === 'default')) warn(byDefault.doubt);
    const [only] = answers;
    if (answers.length === 1 && only) output.answer(() => renderAnswer(only), answerForPrograms(only));
    else output.answer(() => renderMethods(answers), answers.map(answerForPrograms));
    return answers.every(({ verdict }) => verdict.allowed);
  });
}

/** What holds where no intention decides: the instances know best, for a setting of theirs goes before what Consul says. */
function defaultOf(ofInstances: readonly IntentionAction[], ofConsul: IntentionAction | undefined): { readonly action: IntentionAction; readonly doubt?: string } {
  const [only, ...others] = ofInstances;
  if (only && others.length > 0) return { action: ofConsul ?? 'deny', doubt: `the instances differ in their default, see to MESH_INTENTIONS_DEFAULT; taken for ${ofConsul ?? 'deny'}` };
  if (only && ofConsul && only !== ofConsul) return { action: only, doubt: `the default of Consul is ${ofConsul}; the instances go by MESH_INTENTIONS_DEFAULT, ${only}` };
  if (only) return { action: only };
  return ofConsul ? { action: ofConsul } : { action: 'deny', doubt: 'the token in CONSUL_HTTP_TOKEN may not read what the default of Consul is; taken for deny' };
}

/** Paths by what people call them. */
async function targetsOf(destinationText: string, methodPath: string | undefined, path: string | undefined): Promise<ReadonlyMap<string, string>> {
  if (path !== undefined && methodPath !== undefined) throw refusal('INVALID_ARGUMENT', 'a call has one path: name a method or use --path');
  if (path !== undefined) return new Map([[path, path]]);
  if (methodPath !== undefined) return new Map([[destinationText, methodPath]]);
  const paths = await pathsOf(destinationText);
  if (paths.size === 0) throw refusal('INVALID_ARGUMENT', `the methods of ${destinationText} are not known here: say which with --path /package.Service/Method`);
  return new Map([...paths].map(([name, each]) => [`${destinationText}.${name}`, each]));
}

function readHeaders(texts: readonly string[]): Headers {
  // A header may be called __proto__; Object.create is typed as `any`.
  const headers = Object.create(null) as Headers;
  for (const [name, value] of texts.map(readHeader)) headers[name] = [headers[name] ?? [], value].flat();
  return headers;
}
