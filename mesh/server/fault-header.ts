import { type Code, CODES, type MeshError, parseDurationMs, refusal } from '#kit';

import type { Fault } from '../policy/fault.ts';

/** Orders a fault for the one request that carries it, such as `mesh-fault: delay=2s;abort=UNAVAILABLE;percent=30`. Any part may be left out but not both of delay and abort. */
export const FAULT_HEADER = 'mesh-fault';

/** The longest delay that a header may ask for. */
const MAX_DELAY_MS = 60_000;

type Parts = Partial<Pick<Fault, 'percent' | 'delayMs' | 'abort'>>;

/** How each part is read; a sentence is thrown for what cannot be. */
const PARTS: Readonly<Record<string, (text: string) => Parts>> = {
  delay: (text) => ({ delayMs: readDelayMs(text) }),
  abort: (text) => ({ abort: readCode(text) }),
  percent: (text) => ({ percent: readPercent(text) }),
};

/** Reads the header. Throws INVALID_ARGUMENT with the form it must have. */
export function readFaultHeader(header: string): Fault {
  try {
    const parts = Object.assign({}, ...header.split(';').map(readPart)) as Parts;
    if (parts.delayMs === undefined && parts.abort === undefined) throw new Error('it asks for nothing');
    return { percent: 100, delayMs: 0, abort: undefined, ...parts, untilMs: Infinity };
  } catch (thrown) {
    throw badHeader(header, thrown);
  }
}

function readPart(part: string): Parts {
  const [name = '', value = '', ...rest] = part.split('=').map((word) => word.trim());
  const read = Object.hasOwn(PARTS, name) && rest.length === 0 ? PARTS[name] : undefined;
  if (!read) throw new Error(`"${part.trim()}" is not a part of it`);
  return read(value);
}

function readDelayMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms > MAX_DELAY_MS) throw new Error(`a delay of ${text} is longer than 60s`);
  return ms;
}

function readCode(text: string): Code {
  const code = CODES.find((name) => name === text);
  if (code === undefined || code === 'OK') throw new Error(`"${text}" is not the code of a failed call`);
  return code;
}

function readPercent(text: string): number {
  const percent = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(percent > 0 && percent <= 100)) throw new Error(`"${text}" is not a share above 0 and up to 100`);
  return percent;
}

function badHeader(header: string, thrown: unknown): MeshError {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  const form = 'write it like delay=2s;abort=UNAVAILABLE;percent=30';
  return refusal('INVALID_ARGUMENT', `header ${FAULT_HEADER} cannot be read: ${why}; ${form}`, {
    violations: [{ field: FAULT_HEADER, description: `${form}, not like ${header.slice(0, 100)}` }],
  });
}
