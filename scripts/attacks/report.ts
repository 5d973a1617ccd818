import { appendFileSync, readFileSync } from 'node:fs';

/** What an attack came to with its guard in place, and without it. Undefined: not run. */
export interface AttackResult {
  /** Short name, for `--only`. */
  readonly name: string;
  readonly attack: string;
  /** How it must be refused, or what must not come of it. */
  readonly must: string;
  /** What is off when it is off. */
  readonly guard: string;
  /** What happened; `ok` says whether it is what must happen. */
  readonly on: Outcome | undefined;
  readonly off: Outcome | undefined;
}

export interface Outcome {
  readonly ok: boolean;
  readonly facts: string;
}

/** Names the file that the test processes of one run append their results to. */
export const REPORT_VARIABLE = 'ATTACKS_REPORT';

/** One line a result, so that processes can append at the same time. */
export function appendResult(file: string, result: AttackResult): void {
  appendFileSync(file, `${JSON.stringify(result)}\n`);
}

export function readResults(file: string): AttackResult[] {
  // Written by `appendResult` alone.
  return readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as AttackResult);
}

/** Why a run proves less than it was asked to, a sentence each; empty when it does not. */
export function gapsIn(results: readonly AttackResult[], wanted: readonly string[]): string[] {
  const unknown = wanted.filter((name) => !results.some((result) => result.name === name)).map((name) => `There is no attack ${name}, or it was not run.`);
  const half = results.filter(({ on, off }) => !on || !off).map(({ attack, name }) => `${attack} (${name}) was not run to its end.`);
  return [...(results.length === 0 ? ['No attack was run.'] : []), ...unknown, ...half];
}

/** A Markdown table for people, and the counts. */
export function renderReport(results: readonly AttackResult[]): string {
  const sorted = results.toSorted((one, other) => one.name.localeCompare(other.name));
  const lines = ['| attack | must | with its guard | without it | |', '|---|---|---|---|---|', ...sorted.map(lineOf)];
  const refused = results.filter(({ on }) => on?.ok === true).length;
  const proved = results.filter(({ off }) => off?.ok === true).length;
  return `${lines.join('\n')}\n\n${results.length} attacks: ${refused} refused; ${proved} succeed without their guard`;
}

function lineOf({ name, attack, must, guard, on, off }: AttackResult): string {
  const facts = (outcome: Outcome | undefined): string => outcome?.facts ?? 'not run';
  const cells = [`${attack} (${name})`, must, facts(on), `${guard}: ${facts(off)}`, on?.ok && off?.ok ? 'ok' : 'NOT'];
  return `| ${cells.map((cell) => cell.replaceAll('|', '/').replaceAll('\n', ' ')).join(' | ')} |`;
}
