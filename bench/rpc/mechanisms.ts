import type { DestinationPolicy, MethodPolicy, Policies, ServerPolicy } from '../../mesh/policy/call-policy.ts';
import { DESTINATION_DEFAULTS, METHOD_DEFAULTS, SERVER_DEFAULTS } from '../../mesh/policy/defaults.ts';

/** What holds for every call of a process. */
interface Numbers {
  readonly method: MethodPolicy;
  readonly destination: DestinationPolicy;
  readonly server: ServerPolicy;
}

const DEFAULTS: Numbers = { method: METHOD_DEFAULTS, destination: DESTINATION_DEFAULTS, server: SERVER_DEFAULTS };

type Switch = (numbers: Numbers) => Numbers;

const atMethod = (change: Partial<MethodPolicy>): Switch => (numbers) => ({ ...numbers, method: { ...numbers.method, ...change } });
const atDestination = (change: Partial<DestinationPolicy>): Switch => (numbers) => ({ ...numbers, destination: { ...numbers.destination, ...change } });

/** Switches one mechanism of the runtime off and leaves the others as they are. */
const SWITCHES: Readonly<Record<string, Switch>> = {
  retries: atMethod({ retries: { ...METHOD_DEFAULTS.retries, enabled: false } }),
  hedging: atMethod({ hedging: { ...METHOD_DEFAULTS.hedging, enabled: false } }),
  budget: atDestination({ budget: { ...DESTINATION_DEFAULTS.budget, enabled: false } }),
  // One switch for both: without them the balancer takes the better of two, and no more.
  'zones and slow start': atDestination({ balancing: { ...DESTINATION_DEFAULTS.balancing, zoneAware: false, slowStartMs: 0 } }),
  ejection: atDestination({ ejection: { ...DESTINATION_DEFAULTS.ejection, enabled: false } }),
  circuit: atDestination({ circuit: { ...DESTINATION_DEFAULTS.circuit, enabled: false } }),
  admission: (numbers) => ({ ...numbers, server: { admission: { ...SERVER_DEFAULTS.admission, enabled: false } } }),
};

/** Every mechanism that a policy switches off. */
export const MECHANISMS: readonly string[] = Object.keys(SWITCHES);

/** Instead of a mechanism's name: all of them. */
export const EVERYTHING = 'everything';

/** What createMesh is given so that it works without this mechanism; nothing where none is named. */
export function policiesWithout(mechanism: string | undefined): { readonly policies?: Policies } {
  if (mechanism === undefined) return {};
  const names = mechanism === EVERYTHING ? MECHANISMS : [mechanism];
  const { method, destination, server } = names.reduce((numbers, name) => switchOf(name)(numbers), DEFAULTS);
  return {
    policies: {
      method: () => ({ current: method }),
      destination: () => ({ current: destination }),
      server: () => ({ current: server }),
    },
  };
}

function switchOf(name: string): Switch {
  const found = SWITCHES[name];
  if (!found) throw new Error(`there is no mechanism ${name}; there are ${MECHANISMS.join(', ')}`);
  return found;
}
