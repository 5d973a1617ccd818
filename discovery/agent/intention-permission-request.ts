import { badValue, type Fields, isFields, refuseOthers } from './fields.ts';
import type { HeaderRecord, PermissionRecord } from './intention-records.ts';
import { LIMITS } from './limits.ts';

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE']);
const PATHS = ['PathExact', 'PathPrefix', 'PathRegex'] as const;
const CONDITIONS = ['Exact', 'Prefix', 'Suffix', 'Contains', 'Regex'] as const;

/** Reads one of `Permissions`, and refuses what Consul refuses, in its words. `at` is such as `Sources[0].Permissions[1]`. */
export function readPermission(sent: unknown, at: string): PermissionRecord {
  if (!isFields(sent)) throw badValue(`${at} must be an object`);
  refuseOthers(sent, ['Action', 'HTTP'], 'permission');
  const http = sent['HTTP'];
  if (!isFields(http)) throw badValue(`${at}.HTTP is required`);
  refuseOthers(http, [...PATHS, 'Header', 'Methods'], 'permission');
  const paths = PATHS.flatMap((field) => pathOf(http, field, `${at}.HTTP`));
  if (paths.length > 1) throw badValue(`${at}.HTTP should only contain at most one of PathExact, PathPrefix, or PathRegex`);
  const headers = boundedList(http, 'Header', `${at}.HTTP`).map((header, index) => readHeader(header, `${at}.HTTP`, index));
  const methods = readMethods(http, `${at}.HTTP`);
  if (paths.length + headers.length + methods.length === 0) throw badValue(`${at}.HTTP should not be empty`);
  return {
    Action: readAction(sent['Action'], at),
    HTTP: { ...Object.fromEntries(paths), ...(headers.length > 0 && { Header: headers }), ...(methods.length > 0 && { Methods: methods }) },
  };
}

export function readAction(sent: unknown, at: string): 'allow' | 'deny' {
  if (sent === 'allow' || sent === 'deny') return sent;
  throw badValue(`${at}.Action must be set to 'allow' or 'deny'`);
}

/** A list of at most as many as an entry has sources. */
export function boundedList(fields: Fields, name: string, at: string): readonly unknown[] {
  const value = fields[name] ?? [];
  if (Array.isArray(value) && value.length <= LIMITS.intentionSources) return value;
  throw badValue(`${at}.${name} must be a list of at most ${LIMITS.intentionSources}`);
}

/** A text of at most 4,096 characters, empty where there is none. */
export function boundedText(fields: Fields, name: string, at: string): string {
  const value = fields[name] ?? '';
  if (typeof value === 'string' && value.length <= LIMITS.intentionText) return value;
  throw badValue(`${at}.${name} must be a text of at most ${LIMITS.intentionText} characters`);
}

function pathOf(http: Fields, field: (typeof PATHS)[number], at: string): readonly [string, string][] {
  const path = boundedText(http, field, at);
  if (path === '') return [];
  if (field !== 'PathRegex' && !path.startsWith('/')) throw badValue(`${at}.${field} doesn't start with '/': "${path}"`);
  return [[field, path]];
}

function readHeader(sent: unknown, at: string, index: number): HeaderRecord {
  if (!isFields(sent)) throw badValue(`${at}.Header[${index}] must be an object`);
  refuseOthers(sent, ['Name', 'Present', 'Invert', 'IgnoreCase', ...CONDITIONS], 'header');
  const name = boundedText(sent, 'Name', at);
  if (name === '') throw badValue(`${at}.Header[${index}] missing required Name field`);
  const conditions = CONDITIONS.flatMap((field): [string, string][] => {
    const value = boundedText(sent, field, at);
    return value === '' ? [] : [[field, value]];
  });
  const isPresent = sent['Present'] === true;
  if (conditions.length + (isPresent ? 1 : 0) !== 1) {
    throw badValue(`${at}.Header[${index}] should only contain one of Present, Exact, Prefix, Suffix, or Regex`);
  }
  const flags = { ...(isPresent && { Present: true as const }), ...(sent['Invert'] === true && { Invert: true as const }) };
  return { Name: name, ...Object.fromEntries(conditions), ...flags, ...(sent['IgnoreCase'] === true && { IgnoreCase: true as const }) };
}

function readMethods(http: Fields, at: string): readonly string[] {
  const methods = boundedList(http, 'Methods', at).map((method) => String(method).toUpperCase());
  const bad = methods.find((method) => !METHODS.has(method));
  if (bad !== undefined) throw badValue(`${at}.Methods contains an invalid method "${bad}"`);
  const twice = methods.find((method, index) => methods.indexOf(method) !== index);
  if (twice !== undefined) throw badValue(`${at}.Methods contains "${twice}" more than once`);
  return methods;
}
