import type { HeaderMatch, IntentionPermission, PathMatch } from '#discovery';

import { compilePattern } from './pattern.ts';
import type { IntentionRequest } from './request.ts';

export type Fits = (request: IntentionRequest) => boolean;

/** A permission as a question to a call; its action is not part of it. Throws for a pattern that cannot be used. */
export function compilePermission({ path, methods, headers }: IntentionPermission): Fits {
  const conditions: Fits[] = [];
  if (methods.length > 0) conditions.push(({ method }) => methods.includes(method));
  if (path) conditions.push(compilePath(path));
  for (const header of headers) conditions.push(compileHeader(header));
  const [only] = conditions;
  if (conditions.length === 1 && only) return only;
  return (request) => conditions.every((fits) => fits(request));
}

function compilePath({ kind, value }: PathMatch): Fits {
  const fits = kind === 'regex' ? remembering(compilePattern(value)) : compileText(kind, value);
  return ({ path }) => fits(path);
}

/** Texts of this many characters at most are remembered, and so many of them. */
const REMEMBERED = { length: 256, count: 256 } as const;

/** A service has few paths, and a pattern takes a microsecond for each: the answers are kept. Who sends ever new paths gains nothing by it, and fills 64 KiB. */
function remembering(fits: (text: string) => boolean): (text: string) => boolean {
  const answers = new Map<string, boolean>();
  return (text) => {
    const known = answers.get(text);
    if (known !== undefined) return known;
    const answer = fits(text);
    if (answers.size >= REMEMBERED.count) answers.clear();
    if (text.length <= REMEMBERED.length) answers.set(text, answer);
    return answer;
  };
}

/**
 * As Envoy's HeaderMatcher, which Consul makes of it: a header that is not there fits nothing,
 * inverted or not, but an inverted `present`.
 */
function compileHeader({ name, kind, value, ignoreCase, invert }: HeaderMatch): Fits {
  const read = reader(name);
  if (kind === 'present') return (request) => (read(request) !== undefined) !== invert;
  const fits = ignoreCase && kind !== 'regex' ? ignoringCase(kind, value) : compileText(kind, value);
  return (request) => {
    const text = read(request);
    return text !== undefined && fits(text) !== invert;
  };
}

/** What grpc-js reads of a call itself, and shows to nobody. */
const TAKEN_AWAY: ReadonlySet<string> = new Set(['content-type', 'te', 'grpc-timeout', 'grpc-encoding', 'grpc-accept-encoding', 'accept-encoding']);

/** HTTP/2 writes path and method as headers too. A condition on what cannot be seen here would never fit, and a deny by it would let everybody in: it cannot be used. */
function reader(name: string): (request: IntentionRequest) => string | undefined {
  const lower = name.toLowerCase();
  if (lower === ':path') return ({ target }) => target;
  if (lower === ':method') return ({ method }) => method;
  if (lower.startsWith(':') || TAKEN_AWAY.has(lower)) throw new Error(`the header ${lower} cannot be asked for: services do not get to see it`);
  return (request) => request.header(lower);
}

type TextKind = Exclude<HeaderMatch['kind'], 'present'>;

function ignoringCase(kind: TextKind, value: string): (text: string) => boolean {
  const fits = compileText(kind, value.toLowerCase());
  return (text) => fits(text.toLowerCase());
}

function compileText(kind: TextKind, value: string): (text: string) => boolean {
  switch (kind) {
    case 'exact':
      return (text) => text === value;
    case 'prefix':
      return (text) => text.startsWith(value);
    case 'suffix':
      return (text) => text.endsWith(value);
    case 'contains':
      return (text) => text.includes(value);
    case 'regex':
      return compilePattern(value);
  }
}
