import type { HeaderMatch, IntentionAction, IntentionPermission, PathMatch } from '../intention.ts';

/** A JSON object from Consul. */
export type Json = Readonly<Record<string, unknown>>;

/** A permission as it was read, or what it asks for that this mesh cannot judge. */
export type ReadPermission = IntentionPermission | { readonly problem: string };

const PATHS = { PathExact: 'exact', PathPrefix: 'prefix', PathRegex: 'regex' } as const;
const HEADERS = { Exact: 'exact', Prefix: 'prefix', Suffix: 'suffix', Contains: 'contains', Regex: 'regex' } as const;
const FIELDS: ReadonlySet<string> = new Set(['Action', 'HTTP', 'JWT']);
const HTTP_FIELDS = new Set([...Object.keys(PATHS), 'Header', 'Methods']);
const HEADER_FIELDS = new Set([...Object.keys(HEADERS), 'Name', 'Present', 'Invert', 'IgnoreCase']);

/**
 * Reads one of `Permissions`. What a newer Consul can say and this cannot is a problem and
 * nothing to pass over: a narrower condition that is left out would let more callers in.
 */
export function toPermission(wire: unknown): ReadPermission {
  if (!isJson(wire)) return { problem: 'a permission that is no object' };
  const { JWT, HTTP: http, Action } = wire;
  if (given(JWT)) return { problem: 'a JWT' };
  const strange = strangeField(wire, FIELDS);
  if (strange !== undefined) return { problem: strange };
  const action = toAction(Action);
  if (action === undefined || !isJson(http)) return { problem: 'a permission that is not for HTTP' };
  return toHttpPermission(action, http);
}

function toHttpPermission(action: IntentionAction, http: Json): ReadPermission {
  const { Header: headersAsked, Methods: methodsAsked } = http;
  const strange = strangeField(http, HTTP_FIELDS) ?? [headersAsked, methodsAsked].find((asked) => given(asked) && !Array.isArray(asked));
  if (strange !== undefined) return { problem: typeof strange === 'string' ? strange : 'something else than a list' };
  const path = toPath(http);
  if (path && 'problem' in path) return path;
  const headers: HeaderMatch[] = [];
  for (const header of listOf(headersAsked).map(toHeader)) {
    if ('problem' in header) return header;
    headers.push(header);
  }
  const methods = listOf(methodsAsked).map((method) => String(method).toUpperCase());
  // It would be for every call, and Consul takes none such.
  if (!path && headers.length + methods.length === 0) return { problem: 'a permission without a condition' };
  return { action, path, methods, headers };
}

export function toAction(wire: unknown): IntentionAction | undefined {
  return wire === 'allow' || wire === 'deny' ? wire : undefined;
}

function toPath(http: Json): PathMatch | undefined | { readonly problem: string } {
  const [found, ...others] = Object.entries(PATHS).filter(([field]) => given(http[field]));
  if (!found) return undefined;
  const value = http[found[0]];
  if (others.length > 0 || typeof value !== 'string') return { problem: 'more than one path' };
  return { kind: found[1], value };
}

function toHeader(wire: unknown): HeaderMatch | { readonly problem: string } {
  if (!isJson(wire)) return { problem: 'a header that is no object' };
  const strange = strangeField(wire, HEADER_FIELDS);
  if (strange !== undefined) return { problem: `${strange} of a header` };
  const name = String(wire['Name'] ?? '').toLowerCase();
  if (name === '') return { problem: 'a header without a name' };
  const invert = wire['Invert'] === true;
  const [found, ...others] = Object.entries(HEADERS).filter(([field]) => given(wire[field]));
  const isPresent = wire['Present'] === true;
  if (others.length > 0 || (found && isPresent)) return { problem: 'a header with several conditions' };
  if (found) return { name, kind: found[1], value: String(wire[found[0]]), ignoreCase: wire['IgnoreCase'] === true, invert };
  if (!isPresent) return { problem: 'a header without a condition' };
  return { name, kind: 'present', value: '', ignoreCase: false, invert };
}

/** The other way round. */
export function fromPermission({ action, path, methods, headers }: IntentionPermission): Json {
  return {
    Action: action,
    HTTP: {
      ...(path && { [fieldOf(PATHS, path.kind)]: path.value }),
      ...(methods.length > 0 && { Methods: methods }),
      ...(headers.length > 0 && { Header: headers.map(fromHeader) }),
    },
  };
}

function fromHeader({ name, kind, value, ignoreCase, invert }: HeaderMatch): Json {
  const condition = kind === 'present' ? { Present: true } : { [fieldOf(HEADERS, kind)]: value };
  // Consul before 1.20 refuses a field that it does not know, also a false one.
  return { Name: name, ...condition, ...(invert && { Invert: true }), ...(ignoreCase && { IgnoreCase: true }) };
}

function fieldOf(fields: Readonly<Record<string, string>>, kind: string): string {
  const found = Object.entries(fields).find(([, known]) => known === kind);
  if (!found) throw new Error(`there is no ${kind} in Consul`);
  return found[0];
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A field that says something and is none of these. */
export function strangeField(wire: Json, known: ReadonlySet<string>): string | undefined {
  return Object.keys(wire).find((name) => !known.has(name) && given(wire[name]));
}

/** Consul leaves out what is not set, or writes it empty. */
export function given(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && value !== false && value !== 0 && !(Array.isArray(value) && value.length === 0);
}
