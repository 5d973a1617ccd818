import { HTTPException } from 'hono/http-exception';

/** A JSON object somebody sent. */
export type Fields = Readonly<Record<string, unknown>>;

export function parseFields(text: string): Fields {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isFields(parsed)) return parsed;
  } catch {
    // Said below, without the parser's words.
  }
  throw badRequest('Request decode failed: the body is not a JSON object');
}

/** Refuses fields that Consul has and this agent has not; a silent no would be worse. */
export function refuseOthers(fields: Fields, known: readonly string[], what: string): void {
  const other = Object.keys(fields).find((name) => !known.includes(name));
  if (other === undefined) return;
  const message = `the embedded agent does not know the field ${other} of a ${what}; run Consul and set CONSUL_HTTP_ADDR to use it`;
  throw new HTTPException(501, { message });
}

export function textOf(fields: Fields, name: string): string {
  const value = fields[name] ?? '';
  if (typeof value === 'string' && value.length <= 512) return value;
  throw badRequest(`Request decode failed: ${name} must be a text of at most 512 characters`);
}

export function flagOf(fields: Fields, name: string): boolean {
  const value = fields[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw badRequest(`Request decode failed: ${name} must be true or false`);
}

export function integerOf(fields: Fields, name: string, { min, max, fallback }: { min: number; max: number; fallback: number }): number {
  const value = fields[name] ?? fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw badRequest(`Request decode failed: ${name} must be a whole number from ${min} to ${max}`);
}

export function fieldsOf(fields: Fields, name: string): Fields {
  const value = fields[name] ?? {};
  if (isFields(value)) return value;
  throw badRequest(`Request decode failed: ${name} must be an object`);
}

export function listOf(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name] ?? [];
  if (Array.isArray(value) && value.length <= 64) return value;
  throw badRequest(`Request decode failed: ${name} must be a list of at most 64`);
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function badRequest(message: string): HTTPException {
  return new HTTPException(400, { message });
}

/** Consul blames itself for what it finds wrong only after it has decoded a request. */
export function badValue(message: string): HTTPException {
  return new HTTPException(500, { message });
}
