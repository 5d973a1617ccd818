import { defaultPolicies, METHOD_DEFAULTS, type Policies } from '#mesh';

/** For callers that want to see each answer of a service as it gave it: only what a service has not begun is tried again. */
export const asAnswered: Policies = {
  ...defaultPolicies,
  method: () => ({ current: { ...METHOD_DEFAULTS, retries: { ...METHOD_DEFAULTS.retries, codes: [] } } }),
};
