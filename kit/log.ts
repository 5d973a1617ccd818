import { closeSync, openSync, writeSync } from 'node:fs';

import { trace } from '@opentelemetry/api';
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';

import { errInLog, serializeErr } from './err-in-log.ts';
import { errorCode } from './errors.ts';

export type Log = Logger;

export interface LogOptions {
  /** `trace` … `fatal`, or `silent`. */
  readonly level: string;
  /** Fields on every line, such as the service's name. */
  readonly base?: Readonly<Record<string, string>>;
  /** The path of a file to append to, or something that takes lines. Default: standard error. */
  readonly destination?: DestinationStream | string;
}

const STDERR = 2;
const NEWLINE = 0x0a;
/** How long a full pipe may hold up everything else, until it is read from again. */
const PATIENCE_MS = 100;
const PAUSE_MS = 2;

/** A serializer is not told the level of the line. */
const withShortErr: NonNullable<NonNullable<LoggerOptions['hooks']>['logMethod']> = function (given, write, level) {
  const [fields, ...others] = given;
  const isFields = typeof fields === 'object' && fields !== null && 'err' in fields;
  // It is called with what it was given, but for `err`.
  write.apply(this, (isFields ? [{ ...(fields as object), err: errInLog(fields['err'], level) }, ...others] : given) as typeof given);
};

/**
 * Structured lines (JSON), each with the ids of the span it was written in. To log never
 * fails, not even on a full disk: there lines are lost, and counted.
 */
export function createLog({ level, base = {}, destination }: LogOptions): Log {
  return pino(
    {
      level,
      base,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeErr },
      hooks: { logMethod: withShortErr },
      mixin: spanIds,
    },
    typeof destination === 'object' ? destination : createDestination(destination),
  );
}

/** A log that says nothing, for tests. */
export const silentLog: Log = createLog({ level: 'silent' });

function spanIds(): Record<string, string> {
  const context = trace.getActiveSpan()?.spanContext();
  return context ? { trace_id: context.traceId, span_id: context.spanId } : {};
}

/** Lines that could not be written since the last one that could. */
interface Loss {
  readonly lines: number;
  readonly since: string;
  readonly why: string;
}

/**
 * Writes each line at once: the last one before a crash says most, and pino's own
 * destination, which writes later, ends the process when the disk is full, or spins for
 * ever in its exit. What cannot be written is lost; the next line that can comes after
 * one that says how many were.
 */
function createDestination(path: string | undefined): DestinationStream {
  const append = createAppender(path);
  let loss: Loss | undefined;
  return {
    write(line) {
      try {
        if (loss) append(noticeOf(loss));
        loss = undefined;
        append(line);
      } catch (thrown) {
        const why = thrown instanceof Error ? thrown.message : String(thrown);
        loss = { lines: (loss?.lines ?? 0) + 1, since: loss?.since ?? new Date().toISOString(), why };
      }
    },
  };
}

function noticeOf({ lines, since, why }: Loss): string {
  const msg = `${lines} ${lines === 1 ? 'line' : 'lines'} of this log could not be written`;
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), lines, since, why, msg })}\n`;
}

/** Appends whole lines, or throws. A file that failed is opened anew: it may have been on a disk that was taken away. */
function createAppender(path: string | undefined): (line: string) => void {
  let fd = path === undefined ? STDERR : undefined;
  let isTorn = false;
  let patienceMs = PATIENCE_MS;

  function writeSome(open: number, bytes: Uint8Array): number {
    for (;;) {
      try {
        return writeSync(open, bytes);
      } catch (thrown) {
        if (errorCode(thrown) !== 'EAGAIN' || patienceMs <= 0) throw thrown;
        patienceMs -= PAUSE_MS;
        pause();
      }
    }
  }

  return (line) => {
    // What there was room for of the line before is no part of this one.
    const bytes = Buffer.from(isTorn ? `\n${line}` : line);
    let written = 0;
    try {
      fd ??= openSync(path ?? '', 'a', 0o600);
      while (written < bytes.length) written += writeSome(fd, bytes.subarray(written));
      isTorn = false;
      patienceMs = PATIENCE_MS;
    } catch (thrown) {
      if (written > 0) isTorn = bytes[written - 1] !== NEWLINE;
      if (path !== undefined) fd = close(fd);
      throw thrown;
    }
  };
}

function close(fd: number | undefined): undefined {
  try {
    if (fd !== undefined) closeSync(fd);
  } catch {
    // It has failed before, which is why it is closed.
  }
}

/** Only a pipe that does not block needs it, and a log line cannot be awaited. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
