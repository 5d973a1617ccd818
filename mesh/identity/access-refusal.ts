import { type MeshError, type Reason, refusal } from '#kit';

import type { Method } from '../method.ts';
import type { AccessRule } from './access-rule.ts';

/** Why a contract lets somebody not call. */
export type AccessRefusal = Extract<Reason, 'SIGN_IN_REQUIRED' | 'NOT_THE_OWNER' | 'ROLE_REQUIRED' | 'SERVICES_ONLY'>;

/** Who may call, in words: `public`, or such as `owner (user_id), role staff, service order`. */
export function ruleInWords({ everybody, anyUser, owner, roles, services }: AccessRule): string {
  if (everybody) return 'public';
  const ownerField = owner && owner.kind !== 'handler' ? ` (${owner.field})` : '';
  return [
    ...(anyUser ? ['user'] : []),
    ...(owner ? [`owner${ownerField}`] : []),
    ...roles.map((role) => `role ${role}`),
    ...[...services].map((service) => (service === '*' ? 'any service' : `service ${service}`)),
  ].join(', ');
}

/** Says what to do, and nothing of the thing itself or whose it is. */
export function accessRefused(reason: AccessRefusal, { fullName }: Method, rule: AccessRule): MeshError {
  return refusal(reason, `${fullName} ${SENTENCES[reason](rule)}`, { metadata: { method: fullName, rule: ruleInWords(rule) } });
}

const SENTENCES: Readonly<Record<AccessRefusal, (rule: AccessRule) => string>> = {
  SIGN_IN_REQUIRED: () =>
    'is for people who are signed in; call it with `mesh call --as demo`, or get a token by user.SignIn and send it as the header "authorization: Bearer …"',
  NOT_THE_OWNER: ({ owner }) =>
    `is for the one whose it is; ${owner?.kind === 'request' ? `name yourself in ${owner.field}` : 'ask for what is yours'}, or sign in as somebody who may see it`,
  ROLE_REQUIRED: ({ roles }) => `is for people with the role ${roles.join(' or ')}; sign in as one of them`,
  SERVICES_ONLY: ({ services }) => `is for services alone (${[...services].join(', ')}), with their certificates; no token opens it to a person`,
};
