import { create, type DescMethod } from '@bufbuild/protobuf';
import { pathToString } from '@bufbuild/protobuf/reflect';
import { createValidator } from '@bufbuild/protovalidate';

import { refusal } from '#kit';

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

/** Refuses a request that breaks its contract's rules, naming each field (INVALID_ARGUMENT with BadRequest). */
export const serverValidation: ServerInterceptor = (next) => async (call) => {
  const result = validator.validate(call.method.desc.input, call.request);
  if (result.kind === 'valid') return next(call);
  if (result.kind === 'error') throw result.error;
  const violations = result.violations.slice(0, MAX_VIOLATIONS).map((violation) => ({
    field: pathToString(violation.field),
    description: violation.message,
  }));
  const sentences = violations.map(({ field, description }) => (field ? `${field}: ${description}` : description));
  const more = result.violations.length - violations.length;
  if (more > 0) sentences.push(`and ${more} more like these`);
  throw refusal('INVALID_ARGUMENT', `${sentences.join('; ')}. Mend the request and send it again`, { violations });
};

/** Compiles a method's rules now: the first validation of a type costs tens of milliseconds. */
export function warmUpValidation(method: DescMethod): void {
  validator.validate(method.input, create(method.input));
}
