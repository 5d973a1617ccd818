import { styleText } from 'node:util';

import { printable } from '#kit';

import type { Entry, Level, LogLine, PlainLine } from './log-line.ts';

export interface LineStyle {
  readonly colour: boolean;
}

type Colour = Parameters<typeof styleText>[0];

/** As wide as `recommendation`. */
const LABEL = 14;
const MAX_TEXT = 4_000;
const MAX_STACK_LINES = 40;
/** An error and what lies below it. */
const MAX_CAUSES = 8;
const SHOWN_ELSEWHERE = new Set(['time', 'level', 'service', 'instance', 'msg', 'err', 'trace_id', 'span_id', 'pid', 'hostname']);

const LEVEL_COLOURS: Readonly<Record<Level, Colour>> = { trace: 'dim', debug: 'dim', info: 'green', warn: 'yellow', error: 'red', fatal: 'red' };
const SERVICE_COLOURS: readonly Colour[] = ['cyan', 'magenta', 'blue', 'cyanBright', 'magentaBright', 'blueBright', 'greenBright', 'yellowBright'];

/** A line for people: time (of this machine), service, level, what was said, its fields, the span it was said in. */
export function renderLine(line: LogLine, { colour }: LineStyle): string {
  const paint = (how: Colour, text: string): string => (colour && text !== '' ? styleText(how, text, { validateStream: false }) : text);
  return line.kind === 'plain' ? renderPlain(line, paint) : renderEntry(line, paint);
}

type Paint = (how: Colour, text: string) => string;

function renderEntry(line: Entry, paint: Paint): string {
  const { level, fields, traceId, service } = line;
  const label = labelOf(line);
  const head = [
    clockTime(line.timeMs),
    paint(colourOf(service), label) + ' '.repeat(Math.max(0, LABEL - label.length)),
    paint(LEVEL_COLOURS[level], level) + ' '.repeat(5 - level.length),
  ];
  const others = Object.entries(fields).filter(([name]) => !SHOWN_ELSEWHERE.has(name));
  const ids = [traceId && `trace_id=${printable(traceId)}`, typeof fields['span_id'] === 'string' && `span_id=${printable(fields['span_id'])}`].filter((id) => id);
  const said = [textOf(fields['msg'] ?? ''), paint('dim', [...others.map(([name, value]) => `${printable(name)}=${valueOf(value)}`), ...ids].join(' '))];
  return [[...head, ...said.filter((part) => part !== '')].join('  '), ...stackOf(fields['err'])].join('\n');
}

/** As it is, and from which file; when it was written, nobody knows. */
function renderPlain({ text, droppedBytes, file }: PlainLine, paint: Paint): string {
  const dropped = droppedBytes + Math.max(0, text.length - MAX_TEXT);
  const shown = printable(text.slice(0, MAX_TEXT).replaceAll('\t', '  '));
  return `${clockTime(undefined)}  ${paint('red', file.name.padEnd(LABEL))}  ${shown}${dropped > 0 ? ` … and ${dropped} more bytes` : ''}`;
}

/** `inventory-2` where there are several; the service alone where a process runs more than one. */
function labelOf({ service, file }: Entry): string {
  return printable(file.process.startsWith(`${service}-`) ? file.process : service);
}

/** By this machine's clock: `2026-11-22`. */
export function dayOf(timeMs: number): string {
  const time = new Date(timeMs);
  return [time.getFullYear(), time.getMonth() + 1, time.getDate()].map((part) => String(part).padStart(2, '0')).join('-');
}

/** `05:00:39.055`. */
function clockTime(timeMs: number | undefined): string {
  if (timeMs === undefined) return ' '.repeat(12);
  const time = new Date(timeMs);
  const [hours, minutes, seconds] = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0'));
  return `${hours}:${minutes}:${seconds}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

/** The same for a service on every run. */
function colourOf(service: string): Colour {
  let sum = 0;
  for (const letter of service) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9_973;
  return SERVICE_COLOURS[sum % SERVICE_COLOURS.length] ?? 'cyan';
}

/** A word as it is, anything else as JSON. */
function valueOf(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return textOf(value);
  return textOf(JSON.stringify(value));
}

function textOf(value: unknown): string {
  const text = printable(String(value));
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
}

/** Where an error came from, with its causes. Together they have MAX_STACK_LINES, of which each gets its share: the cause says most. */
function stackOf(err: unknown): string[] {
  const errors = chainOf(err);
  const share = Math.floor((MAX_STACK_LINES + 1) / errors.length) - 1;
  return errors.flatMap((text) => {
    const lines = text.split('\n').map((line) => `    ${textOf(line)}`);
    return lines.length <= share ? lines : [...lines.slice(0, share), `    … and ${lines.length - share} more lines`];
  });
}

/** An error and the causes that stand in it, each as its stack; without one, what it says, else what there is of it. */
function chainOf(err: unknown): string[] {
  const texts: string[] = [];
  for (let at: unknown = err; typeof at === 'object' && at !== null && texts.length < MAX_CAUSES; at = 'cause' in at ? at.cause : undefined) {
    const text = 'stack' in at && typeof at.stack === 'string' ? at.stack : inWords(at);
    texts.push(texts.length === 0 ? text : `Caused by: ${text}`);
  }
  return texts;
}

/** A refusal on one line: its sentence, code and reason, and what else is known of it. */
function inWords(err: object): string {
  const { type, message, code, reason, cause: _below, ...facts } = err as Readonly<Record<string, unknown>>;
  if (typeof message !== 'string') return JSON.stringify(err);
  const names = [code, reason].filter((name) => typeof name === 'string').join(', ');
  const more = Object.entries(facts).map(([name, value]) => ` ${name}=${valueOf(value)}`);
  return `${typeof type === 'string' ? `${type}: ` : ''}${message}${names && ` (${names})`}${more.join('')}`;
}
