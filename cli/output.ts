import { MeshError } from '#kit';

/** Where a command's answer goes, for people or for programs. */
export interface Output {
  readonly json: boolean;
  /** The answer itself: text for people, or one JSON document on one line. */
  answer(forPeople: () => string, forPrograms: unknown): void;
  /** Something to read while waiting; programs do not see it. */
  note(line: string): void;
}

export function createOutput(json: boolean): Output {
  return {
    json,
    answer: (forPeople, forPrograms) => void process.stdout.write(`${json ? JSON.stringify(forPrograms) : forPeople()}\n`),
    note: (line) => {
      if (!json) process.stdout.write(`${line}\n`);
    },
  };
}

/** What a failed command prints: the sentence, and for programs everything they can branch on. */
export function renderError(thrown: unknown, json: boolean): string {
  const error = MeshError.from(thrown);
  const { code, reason, message, metadata, violations } = error;
  if (json) return JSON.stringify({ error: { code, reason, message, metadata, violations } });
  const inside = reason === 'INTERNAL' && error.cause ? `\n${String(error.cause instanceof Error ? error.cause.stack : error.cause)}` : '';
  return `error: ${message} (${reason})${inside}`;
}

/** Columns padded to their widest cell, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}

/** `1.24 s`, for people. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
