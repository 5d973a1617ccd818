import { refusal } from '#kit';

import { serviceOf, startOf, tagsOfSpan } from './jaeger-trace.ts';
import { isRecord, type OtlpSpan } from './otlp-json.ts';
import type { SpanStore, StoredTrace } from './span-store.ts';

/** A trace is found when one of its spans is all of this. Times are microseconds since the epoch. */
interface Search {
  readonly service: string;
  readonly operation: string | undefined;
  /** Of the span, its events or its resource; values as text. */
  readonly tags: Readonly<Record<string, string>>;
  readonly startUs: number;
  readonly endUs: number;
  readonly limit: number;
}

/** Jaeger's default when a search does not say. */
const DEFAULT_LIMIT = 100;
/** Jaeger's UI sends `lookback` beside start and end, saying the same again. */
const SEARCHED_BY: ReadonlySet<string> = new Set(['service', 'operation', 'tags', 'limit', 'start', 'end', 'lookback']);

/** A parameter by which only a real Jaeger searches; undefined when there is none. */
export function unknownParameter(query: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(query).find((name) => !SEARCHED_BY.has(name));
}

/** The traces that a query of `/api/traces` asks for, the newest first. Throws INVALID_ARGUMENT with Jaeger's reasons. */
export function searchTraces(store: SpanStore, query: Readonly<Record<string, string>>): StoredTrace[] {
  const search = readSearch(query);
  const found = store.traces().filter(({ spans }) => [...spans.values()].some((span) => isSearched(span, search)));
  // As Jaeger's own memory does it: what a trace began with is what came of it first.
  return found.sort((a, b) => beginningOf(b) - beginningOf(a)).slice(0, Math.max(1, search.limit));
}

function readSearch({ service, operation, tags, limit, start, end }: Readonly<Record<string, string>>): Search {
  if (service === undefined) throw refusal('INVALID_ARGUMENT', "parameter 'service' is required");
  return {
    service,
    operation,
    tags: tags === undefined ? {} : readTags(tags),
    startUs: readNumber('start', start, 0),
    endUs: readNumber('end', end, Infinity),
    limit: readNumber('limit', limit, DEFAULT_LIMIT),
  };
}

function readNumber(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (!/^-?\d+$/.test(value)) throw refusal('INVALID_ARGUMENT', `unable to parse param '${name}': it is not a number`);
  return Number(value);
}

function readTags(tags: string): Record<string, string> {
  const entries = Object.entries(readJson(tags));
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  if (texts.length === entries.length) return Object.fromEntries(texts);
  throw refusal('INVALID_ARGUMENT', "malformed 'tags' parameter, expecting an object of texts");
}

function readJson(tags: string): object {
  try {
    const read: unknown = JSON.parse(tags);
    if (isRecord(read)) return read;
  } catch (cause) {
    throw refusal('INVALID_ARGUMENT', "malformed 'tags' parameter, expecting JSON", { cause });
  }
  throw refusal('INVALID_ARGUMENT', "malformed 'tags' parameter, expecting a JSON object");
}

function isSearched(span: OtlpSpan, { service, operation, tags, startUs, endUs }: Search): boolean {
  if (serviceOf(span) !== service || (operation !== undefined && span.name !== operation)) return false;
  const startedUs = startOf(span);
  if (startedUs < startUs || startedUs > endUs) return false;
  const wanted = Object.entries(tags);
  if (wanted.length === 0) return true;
  const found = tagsOfSpan(span);
  return wanted.every(([key, text]) => found.some((tag) => tag.key === key && String(tag.value) === text));
}

function beginningOf({ spans }: StoredTrace): number {
  const [first] = spans.values();
  return first === undefined ? 0 : startOf(first);
}
