import type { Canary } from './secrets.ts';
import type { Contents } from './places.ts';

/** A secret that was found somewhere. */
export interface Find {
  readonly secret: string;
  readonly where: string;
}

/** Where a secret has to be, and why. */
export interface Allowance {
  readonly secret: RegExp;
  readonly where: RegExp;
  readonly why: string;
}

/** The list of places in which secrets may stand. Whatever is not in it is a leak. */
export const ALLOWANCES: readonly Allowance[] = [
  { secret: /^key of the authority$/, where: /^agent\/connect-ca\.json \(600\)$/, why: 'the stand-in for Consul keeps its authority on one machine, for its owner only' },
  { secret: /^password of role shopmesh$/, where: /^postgres\/password \(600\)$/, why: 'the next start has to get into the database that this one made' },
  { secret: /^mailed code$/, where: /^mail\/[^/]+\.eml \(600\)$/, why: 'the mail is its place, and a folder stands for the mail server' },
  { secret: /^CONSUL_HTTP_TOKEN$/, where: /^CONSUL_HTTP_TOKEN of .* serve /, why: 'each process speaks to Consul' },
  { secret: /^STRIPE_WEBHOOK_SECRET$/, where: /^STRIPE_WEBHOOK_SECRET of .* serve .*\bpayment\b/, why: 'payment checks the signatures of webhooks' },
];

/** Every secret in every place where it may not be. */
export function findSecrets(contents: Contents, secrets: readonly Canary[], allowances: readonly Allowance[]): Find[] {
  const isAllowed = ({ secret, where }: Find): boolean => allowances.some((allowance) => allowance.secret.test(secret) && allowance.where.test(where));
  return [...contents]
    .flatMap(([where, content]) => secrets.filter(({ forms }) => forms.some((form) => content.includes(form))).map(({ name }) => ({ secret: name, where })))
    .filter((find) => !isAllowed(find));
}
