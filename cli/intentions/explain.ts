import type { Intention } from '#discovery';
import { type Headers, type Intentions, type IntentionVerdict, intentionRequest, pairInWords, permissionInWords, verdictInWords } from '#mesh';

import { table } from '../output.ts';
import { counted } from './amend-rule.ts';
import { quoted } from './quoted.ts';
import type { Pair } from './read-pair.ts';
import { refusedForPrograms, refusedInLines, type RefusedSoFar } from './refused-so-far.ts';
import { intentionForPrograms } from './render-intentions.ts';

/** What `mesh why` asks: a pair of services, and the call between them. */
export interface Question extends Omit<Pair, 'path'> {
  /** The method as people write it, such as `payment.Charge`, or its path. */
  readonly target: string;
  readonly path: string;
  readonly headers: Headers;
}

export interface Answer {
  readonly question: Question;
  readonly verdict: IntentionVerdict;
  /** Strongest first; the first decides. */
  readonly applying: readonly Intention[];
  /** Commands that turn the answer round: for these calls, and for every call of the pair. */
  readonly change: readonly string[];
  /** Undefined where there is no instance to ask. */
  readonly refused?: RefusedSoFar | undefined;
}

export function explain(question: Question, intentions: Intentions): Answer {
  const { source, destination, path, headers, target } = question;
  const verdict = intentions.check(source, destination, intentionRequest(path, headers));
  const applying = intentions.applying(source, destination);
  return { question, verdict, applying, change: changesOf(question, verdict, applying, target) };
}

export function renderAnswer({ question, verdict, applying, change, refused }: Answer): string {
  const { source, target } = question;
  const weaker = applying.slice(1).map((intention) => `  ${pairInWords(intention)} (precedence ${intention.precedence}): ${inShort(intention)}`);
  return [
    `${source} ${verdict.allowed ? 'may' : 'may not'} call ${target}`,
    `decided by ${verdictInWords(verdict)}`,
    ...saidOf(verdict),
    ...(weaker.length > 0 ? ['shadowed by it:', ...weaker] : []),
    ...(refused ? refusedInLines(refused) : []),
    'what would change it:',
    ...change.map((line) => `  ${line}`),
  ].join('\n');
}

/** One line for each method of a service. */
export function renderMethods(answers: readonly Answer[]): string {
  const isCounted = answers.some(({ refused }) => refused);
  const rows = answers.map(({ question, verdict, refused }) => [question.target, verdict.allowed ? 'yes' : 'no', ...(isCounted ? [refusedCalls(refused)] : []), verdictInWords(verdict)]);
  return `${table([['METHOD', 'ALLOWED', ...(isCounted ? ['REFUSED'] : []), 'DECIDED BY'], ...rows])}\nmore about one of them: npx mesh why ${answers[0]?.question.source} ${answers[0]?.question.target}`;
}

/** How many so far; `-` where that is not known. */
function refusedCalls(refused: RefusedSoFar | undefined): string {
  if (!refused || refused.answered === 0) return '-';
  return String(refused.denials.reduce((sum, { calls }) => sum + calls, 0));
}

export function answerForPrograms({ question, verdict, applying, change, refused }: Answer): object {
  const { source, destination, path, headers } = question;
  const decidedBy =
    verdict.by === 'default'
      ? { default: verdict.allowed ? 'allow' : 'deny', ...(verdict.unmatched && { unmatched: intentionForPrograms(verdict.unmatched) }) }
      : { intention: intentionForPrograms(verdict.intention), ...(verdict.permission !== undefined && { permission: verdict.permission }) };
  return { allowed: verdict.allowed, source, destination, path, headers: Object.keys(headers), decidedBy, applying: applying.map(intentionForPrograms), change, ...(refused && { refused: refusedForPrograms(refused) }) };
}

function saidOf(verdict: IntentionVerdict): readonly string[] {
  if (verdict.by === 'default') return [];
  const { intention, permission } = verdict;
  const { rule, description } = intention;
  const said = rule.kind === 'permissions' ? rule.permissions[(permission ?? 1) - 1] : undefined;
  return [...(said ? [`which says ${permissionInWords(said)}`] : []), ...(description === '' ? [] : [`because: ${description}`])];
}

/** An intention of this very pair is the strongest there is; only permissions of its own go before it. */
function changesOf({ source, destination, path }: Question, { allowed }: IntentionVerdict, [strongest]: readonly Intention[], target: string): readonly string[] {
  const isOwn = strongest?.source === source && strongest.destination === destination;
  const command = `npx mesh intentions ${allowed ? 'deny' : 'allow'} ${quoted(source)}`;
  const loses = isOwn && strongest.rule.kind !== 'action';
  const forAll = `${command} ${quoted(destination)}${loses ? ' --replace' : ''}`;
  if (isOwn && strongest.rule.kind === 'unusable') return [forAll];
  const forThis = target === path ? `${command} ${destination} --path ${path}` : `${command} ${target}`;
  return [forThis, forAll];
}

function inShort({ rule }: Intention): string {
  if (rule.kind === 'action') return rule.action;
  return rule.kind === 'permissions' ? counted(rule.permissions.length) : 'deny, for it cannot be used';
}
