import { type DescMessage, fromJson, type JsonValue, type MessageShape } from '@bufbuild/protobuf';
import type { Path } from '@bufbuild/protobuf/reflect';

import { type FieldViolation, refusal } from '#kit';

import { ruleValidator } from '../rule-validator.ts';

/** Reads JSON text. INVALID_ARGUMENT when it is not an object. */
export function readJsonObject(text: string): Readonly<Record<string, JsonValue>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw refusal('INVALID_ARGUMENT', `it is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  return requireObject(json);
}

export function requireObject(json: unknown): Readonly<Record<string, JsonValue>> {
  if (isObject(json)) return json;
  throw refusal('INVALID_ARGUMENT', 'it must be a JSON object');
}

/**
 * A message of the contract in its JSON form, within the bounds that the contract sets. INVALID_ARGUMENT naming what is
 * wrong: a field that there is not, a value of another type, a value out of bounds.
 */
export function readDocument<Desc extends DescMessage>(desc: Desc, json: Readonly<Record<string, JsonValue>>): MessageShape<Desc> {
  refuseUnknownFields(desc, json, []);
  const message = decode(desc, json);
  const result = ruleValidator().validate(desc, message);
  if (result.kind === 'error') throw result.error;
  if (result.kind === 'valid') return message;
  const violations = result.violations.map((violation): FieldViolation => ({ field: jsonPath(violation.field), description: violation.message }));
  const sentences = violations.map(({ field, description }) => (field === '' ? description : `${field}: ${description}`));
  throw refusal('INVALID_ARGUMENT', sentences.join('; '), { violations });
}

function decode<Desc extends DescMessage>(desc: Desc, json: JsonValue): MessageShape<Desc> {
  try {
    return fromJson(desc, json);
  } catch (cause) {
    throw refusal('INVALID_ARGUMENT', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** The library would say so too, without the fields that there are. */
function refuseUnknownFields(desc: DescMessage, json: JsonValue, path: readonly string[]): void {
  if (!isObject(json)) return;
  for (const [key, value] of Object.entries(json)) {
    const field = desc.fields.find(({ jsonName, name }) => jsonName === key || name === key);
    const here = [...path, key];
    if (!field) throw refusal('INVALID_ARGUMENT', `there is no field ${here.join('.')}; the fields ${path.length > 0 ? `of ${path.join('.')} ` : ''}are ${desc.fields.map(({ jsonName }) => jsonName).join(', ')}`);
    if (field.fieldKind === 'message') refuseUnknownFields(field.message, value, here);
  }
}

/** As the document's author wrote it: `retries.maxAttempts`. */
function jsonPath(path: Path): string {
  return path.flatMap((part) => ('jsonName' in part ? [part.jsonName] : part.kind === 'list_sub' ? [String(part.index)] : [])).join('.');
}

function isObject(json: unknown): json is Readonly<Record<string, JsonValue>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
