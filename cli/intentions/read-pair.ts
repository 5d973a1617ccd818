import { ANY_SERVICE, type ControlPlane } from '#discovery';
import { refusal } from '#kit';
import { parseTarget } from '#mesh';
import { isModuleName, loadModule, MODULE_NAMES } from '#modules';
import { contractsOf } from '#service-module';

import { CALLERS_ONLY } from '../caller-names.ts';
import { closestName } from '../did-you-mean.ts';
import { requireTarget } from '../policies/require-target.ts';

/** Two services as somebody has written them, and the path of the method behind `payment.Charge`. */
export interface Pair {
  readonly source: string;
  readonly destination: string;
  /** undefined: no method was named. */
  readonly path: string | undefined;
}

/** INVALID_ARGUMENT for what can be no service; UNKNOWN_METHOD, with a guess, for a method that the contract has not. */
export async function readPair(sourceText: string, destinationText: string): Promise<Pair> {
  const source = parseTarget(sourceText);
  if (source.method !== undefined) throw refusal('INVALID_ARGUMENT', `${sourceText} is a method, and a whole service calls: write ${source.service}`);
  const { service: destination, method } = parseTarget(destinationText);
  if (method === undefined) return { source: source.service, destination, path: undefined };
  const target = await requireTarget(destinationText);
  return { source: source.service, destination, path: (await pathsOf(destination)).get(target.method ?? method) };
}

/** The paths of a service's methods by their names; none for a service that is not of this shop. */
export async function pathsOf(service: string): Promise<ReadonlyMap<string, string>> {
  if (!isModuleName(service)) return new Map();
  const methods = contractsOf(await loadModule(service)).flatMap((contract) => contract.methods);
  return new Map(methods.map(({ parent, name }) => [name, `/${parent.typeName}/${name}`]));
}

/** What to say of names that nobody has: an intention for a misspelt one would change nothing, without a word. */
export async function unknownNames({ source, destination }: Pair, controlPlane: ControlPlane): Promise<readonly string[]> {
  const strangers = [...new Set([source, destination])].filter((name) => name !== ANY_SERVICE && !isModuleName(name) && !CALLERS_ONLY.includes(name));
  if (strangers.length === 0) return [];
  const registered = new Set((await controlPlane.listInstances()).map(({ service }) => service));
  return strangers.filter((name) => !registered.has(name)).map((name) => {
    const meant = closestName(name, [...MODULE_NAMES, ...CALLERS_ONLY, ...registered]);
    return `no service ${name} is known here${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  });
}
