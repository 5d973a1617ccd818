import { createRequire } from 'node:module';

import type { Validator } from '@bufbuild/protovalidate';

import type { createRuleValidator } from './create-rule-validator.ts';

const require = createRequire(import.meta.url);

/**
 * The process's validator of messages, made when it is first asked for: the library takes 40 ms to load, which a process
 * that only calls, such as `mesh ps`, does not spend. By `require`, since a request is validated without waiting.
 */
export const ruleValidator = lazily((): Validator => {
  // What that file exports.
  const loaded = require('./create-rule-validator.ts') as { readonly createRuleValidator: typeof createRuleValidator };
  return loaded.createRuleValidator();
});

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
