import { create, type DescMethod, ScalarType } from '@bufbuild/protobuf';
import { isReflectMessage, type Path, pathToString, reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { createValidator } from '@bufbuild/protovalidate';

import { type FieldViolation, refusal } from '#kit';

import type { ServerInterceptor } from '../call.ts';

/** Violations named at most: an error travels in trailers, of which some clients take no more than 8 KB. */
const MAX_VIOLATIONS = 20;

const patterns = new Map<string, RegExp>();

// The contracts' patterns are ours, short and linear, so the native engine is as safe as RE2 and 3.5 times as fast.
const validator = createValidator({
  regexMatch: (pattern, against) => {
    let compiled = patterns.get(pattern);
    if (!compiled) patterns.set(pattern, (compiled = new RegExp(pattern, 'u')));
    return compiled.test(against);
  },
});

/**
 * Refuses a request that breaks its contract's rules, or holds a NUL character in any string, naming each field
 * (INVALID_ARGUMENT with BadRequest).
 */
export const serverValidation: ServerInterceptor = (next) => async (call) => {
  const { input } = call.method.desc;
  const result = validator.validate(input, call.request);
  if (result.kind === 'error') throw result.error;
  const withNul = stringsWithNul(reflect(input, call.request, false));
  if (result.kind === 'valid' && withNul.length === 0) return next(call);
  const broken = result.kind === 'invalid' ? result.violations.map(({ field, message }) => violation(field, message)) : [];
  throw refused([...broken, ...withNul.map((field) => violation(field, 'must not hold the character U+0000 (NUL)'))]);
};

/**
 * Where strings hold a NUL character. Protobuf takes it and Postgres does not, so every string of every contract would need
 * the same rule. The walk costs 0.1 µs for a GetUser and 1 µs for a PlaceOrder, whose rules cost 0.3 and 7 µs.
 */
function stringsWithNul(message: ReflectMessage, path: Path = [], found: Path[] = []): readonly Path[] {
  const look = (value: unknown, ...at: Path): void => {
    if (typeof value === 'string') {
      if (value.includes('\0')) found.push([...path, ...at]);
    } else if (isReflectMessage(value)) stringsWithNul(value, [...path, ...at], found);
  };
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    if (field.fieldKind === 'list') {
      for (const [index, item] of message.get(field).entries()) look(item, field, { kind: 'list_sub', index });
    } else if (field.fieldKind === 'map') {
      for (const [key, value] of message.get(field)) {
        // Protobuf's maps have keys of these types only.
        const entry = { kind: 'map_sub', key: key as string | number | bigint | boolean } as const;
        look(key, field, entry);
        look(value, field, entry);
      }
    } else if (field.fieldKind === 'message' || field.scalar === ScalarType.STRING) look(message.get(field), field);
  }
  return found;
}

function violation(field: Path, description: string): FieldViolation {
  return { field: pathToString(field), description };
}

function refused(all: readonly FieldViolation[]): Error {
  const violations = all.slice(0, MAX_VIOLATIONS);
  const sentences = violations.map(({ field, description }) => (field ? `${field}: ${description}` : description));
  const more = all.length - violations.length;
  if (more > 0) sentences.push(`and ${more} more like these`);
  return refusal('INVALID_ARGUMENT', `${sentences.join('; ')}. Mend the request and send it again`, { violations });
}

/** Compiles a method's rules now: the first validation of a type costs tens of milliseconds. */
export function warmUpValidation(method: DescMethod): void {
  validator.validate(method.input, create(method.input));
}
