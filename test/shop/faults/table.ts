import { CASES, FAILURES, STEPS, type FailingStep } from './cases.ts';

/** The lines between which docs/orders.md holds the table. */
export const BEGIN = '<!-- failures: written by `npm run chaos -- failures --write` -->';
export const END = '<!-- end of failures -->';

const WAYS: Readonly<Record<FailingStep['way'], string>> = { place: 'placing', undo: 'undoing', cancel: 'cancelling' };

/** The cases as a table: a row for each step, a column for each failure, how the order ends in each cell. */
export function renderTable(): string {
  const head = ['while', 'step', 'call', ...FAILURES];
  const rows = STEPS.map((step) => [WAYS[step.way], step.step, `\`${step.method}\``, ...endingsOf(step)]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function endingsOf({ way, step }: FailingStep): string[] {
  return CASES.filter((entry) => entry.way === way && entry.step === step).map(({ ending }) => ending);
}

/** `text` with the table as it is now. Throws when the place for it is missing. */
export function withTable(text: string): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`there is no place for the table: a line "${BEGIN}" and, below it, "${END}"`);
  return `${text.slice(0, from + BEGIN.length)}\n\n${renderTable()}\n\n${text.slice(to)}`;
}
