import { refusal } from '#kit';
import { parseTarget, type Target } from '#mesh';
import { loadModule } from '#modules';
import { contractsOf } from '#service-module';

import { closestName } from '../did-you-mean.ts';
import { readModuleName } from '../read-module-name.ts';

/** A target as somebody has written it, held against the contracts: INVALID_ARGUMENT, UNKNOWN_SERVICE or UNKNOWN_METHOD, with a guess, where it names nothing. */
export async function requireTarget(text: string): Promise<Target> {
  const { service, method } = parseTarget(text);
  if (text === '*') return { service, method };
  const name = readModuleName(service);
  if (method === undefined) return { service: name, method };
  const methods = contractsOf(await loadModule(name)).flatMap((contract) => contract.methods.map((known) => known.name));
  const found = methods.find((known) => known.toLowerCase() === method.toLowerCase());
  if (found !== undefined) return { service: name, method: found };
  const meant = closestName(method, methods);
  throw refusal('UNKNOWN_METHOD', `${name} has no method ${method}${meant === undefined ? '' : `; did you mean ${name}.${meant}?`} (its methods are ${methods.join(', ')})`);
}
