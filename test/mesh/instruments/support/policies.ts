import type { Policies } from '#mesh';

import type { Admission, Retries } from '../../../../mesh/policy/call-policy.ts';
import { DESTINATION_DEFAULTS, METHOD_DEFAULTS, SERVER_DEFAULTS } from '../../../../mesh/policy/defaults.ts';

/** The defaults, but for the changes. */
export function policiesWith({ retries = {}, admission = {} }: { retries?: Partial<Retries>; admission?: Partial<Admission> }): Policies {
  return {
    method: () => ({ current: { ...METHOD_DEFAULTS, retries: { ...METHOD_DEFAULTS.retries, ...retries } } }),
    destination: () => ({ current: DESTINATION_DEFAULTS }),
    server: () => ({ current: { ...SERVER_DEFAULTS, admission: { ...SERVER_DEFAULTS.admission, ...admission } } }),
  };
}
