import type { Writable } from 'node:stream';

import { errorCode, MeshError, printable } from '#kit';

/** Where a command writes. */
export interface Streams {
  readonly stdout: Writable & { readonly columns?: number };
  readonly stderr: Writable;
}

/** Where a command's answer goes, for people or for programs. */
export interface Output {
  readonly json: boolean;
  /** Columns of the terminal; undefined where there is none. */
  readonly width: number | undefined;
  /** Aborts when nobody reads any more, as in `mesh call … | head -1`. What is written after that is lost. */
  readonly readerGone: AbortSignal;
  /** The answer itself: text for people, or one JSON document on one line. */
  answer(forPeople: () => string, forPrograms: unknown): void;
  /** Something to read while waiting; programs do not see it. */
  note(line: string): void;
}

/** Of a pipe, a socket, and a terminal that were closed. */
const READER_GONE = new Set(['EPIPE', 'ECONNRESET', 'EIO']);

export function createOutput(json: boolean, { stdout }: Streams = process): Output {
  const gone = new AbortController();
  // No failure to write is a reason to end what the command does, such as to run a shop; on a full disk there is room again later.
  stdout.on('error', (error) => {
    if (READER_GONE.has(errorCode(error) ?? '')) gone.abort();
  });
  const write = (line: string): void => {
    if (!gone.signal.aborted) stdout.write(`${line}\n`);
  };
  return {
    json,
    width: stdout.columns,
    readerGone: gone.signal,
    answer: (forPeople, forPrograms) => write(json ? JSON.stringify(forPrograms) : forPeople()),
    note: (line) => {
      if (!json) write(printable(line));
    },
  };
}

/** What a failed command prints: the sentence, and for programs everything they can branch on. */
export function renderError(thrown: unknown, json: boolean): string {
  const error = MeshError.from(thrown);
  const { code, reason, message, metadata, violations } = error;
  if (json) return JSON.stringify({ error: { code, reason, message, metadata, violations } });
  const kind = code === reason ? code : `${code}, ${reason}`;
  // The sentence often is that of the only field; then it need not be said twice.
  const fields = violations.filter(({ field, description }) => !message.includes(field) || !message.includes(description));
  return [inLines(`error: ${message} (${kind})`), ...fields.map(({ field, description }) => inLines(`  ${field}: ${description}`)), ...causeOf(error)].join('\n');
}

/** A fault of this program itself: whoever mends it wants to see where. An error that came from a service has no cause here. */
function causeOf({ reason, cause }: MeshError): string[] {
  if (reason !== 'INTERNAL' || cause === undefined) return [];
  return (cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)).split('\n').map(printable);
}

/** A sentence of anyone's: its further lines are indented, so that none can pass for one of ours. */
function inLines(sentence: string): string {
  return sentence.split('\n').map(printable).join('\n  ');
}

/** Columns padded to their widest cell, two spaces apart. Cells may come from anyone: see {@link printable}. */
export function table(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}

/** `1.24 s`, for people. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
