import type { LogFile } from './log-files.ts';
import type { RawLine } from './raw-line.ts';

/** From the least severe. */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

export type Level = (typeof LEVELS)[number];

/** A line of a process of the shop. */
export type LogLine = Entry | PlainLine;

interface Line {
  readonly file: LogFile;
  readonly service: string;
  /** The instance's id where the line names it, else its process. */
  readonly instance: string;
}

/** One that the process's log wrote: a JSON object. */
export interface Entry extends Line {
  readonly kind: 'entry';
  readonly level: Level;
  /** Milliseconds since the epoch; undefined when it does not say. */
  readonly timeMs: number | undefined;
  readonly traceId: string;
  /** All that the line holds. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Any other: what the runtime says when a process falls, or a part of something too long. */
export interface PlainLine extends Line {
  readonly kind: 'plain';
  readonly text: string;
  readonly droppedBytes: number;
}

export function readLine({ text, droppedBytes }: RawLine, file: LogFile): LogLine {
  const fields = droppedBytes === 0 ? readObject(text) : undefined;
  if (fields === undefined) return { kind: 'plain', file, service: file.service, instance: file.process, text, droppedBytes };
  const { service, instance, level, time, trace_id: traceId } = fields;
  const timeMs = typeof time === 'string' || typeof time === 'number' ? new Date(time).getTime() : Number.NaN;
  return {
    kind: 'entry',
    file,
    service: typeof service === 'string' ? service : file.service,
    instance: typeof instance === 'string' ? instance : file.process,
    level: readLevel(level),
    timeMs: Number.isNaN(timeMs) ? undefined : timeMs,
    traceId: typeof traceId === 'string' ? traceId : '',
    fields,
  };
}

function readObject(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    // What begins with a brace and parses is an object.
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Ours are words. A number is another pino's: 10 for trace, 20 for debug, and so on. */
function readLevel(level: unknown): Level {
  const name = typeof level === 'number' ? LEVELS[Math.round(level / 10) - 1] : LEVELS.find((known) => known === level);
  return name ?? 'info';
}
