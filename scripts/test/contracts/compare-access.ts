import type { Access, Owner } from '#proto/mesh/v1/options_pb.js';

/** Somebody whom an access lets in. */
type Grant =
  | { readonly to: 'everybody' | 'user' }
  /** `name`: that of the role or service, or by what the owner is found out, such as `by user_id of the request`. */
  | { readonly to: 'owner' | 'role' | 'service'; readonly name: string };

/**
 * What changed in who may call a method, a sentence for whom it keeps out now and one for whom it lets in now. Nothing is
 * said of a method that did not say it before, as in releases from before the option.
 */
export function judgeAccess(before: Access | undefined, after: Access | undefined): string[] {
  if (before === undefined) return [];
  const [old, now] = [grantsOf(before), after === undefined ? [] : grantsOf(after)];
  const change = `from "${inWords(old)}" to "${inWords(now)}"`;
  const [lost, gained] = [beyond(old, now), beyond(now, old)];
  return [
    ...(lost.length > 0 ? [`the access narrowed ${change}: calls by ${inWords(lost)} would be refused`] : []),
    ...(gained.length > 0 ? [`the access widened ${change}: that ${inWords(gained)} may call is a decision about security`] : []),
  ];
}

function grantsOf(access: Access): readonly Grant[] {
  return [
    ...(access.public ? [{ to: 'everybody' } as const] : []),
    ...(access.user ? [{ to: 'user' } as const] : []),
    ...(access.owner ? [{ to: 'owner', name: ownerBy(access.owner) } as const] : []),
    ...access.roles.map((name) => ({ to: 'role', name }) as const),
    ...access.services.map((name) => ({ to: 'service', name }) as const),
  ];
}

/** Found out in another way it may be somebody else. How an answer is refused (`missing`) changes nothing of that. */
function ownerBy({ by }: Owner): string {
  switch (by.case) {
    case 'requestField':
      return `by ${by.value} of the request`;
    case 'responseField':
      return `by ${by.value} of the answer`;
    default:
      return 'by the handler';
  }
}

/** Those of `grants` whom `others` do not let in. */
function beyond(grants: readonly Grant[], others: readonly Grant[]): readonly Grant[] {
  return grants.filter((grant) => !others.some((other) => covers(other, grant)));
}

/** Whether `one` lets in all whom `other` lets in: owners and people with a role are users who are signed in. */
function covers(one: Grant, other: Grant): boolean {
  switch (one.to) {
    case 'everybody':
      return true;
    case 'user':
      return other.to === 'user' || other.to === 'owner' || other.to === 'role';
    case 'service':
      return other.to === 'service' && (one.name === '*' || one.name === other.name);
    default:
      return other.to === one.to && other.name === one.name;
  }
}

function inWords(grants: readonly Grant[]): string {
  return grants.length === 0 ? 'nobody' : grants.map(grantInWords).join(', ');
}

function grantInWords(grant: Grant): string {
  switch (grant.to) {
    case 'everybody':
      return 'everybody';
    case 'user':
      return 'any user';
    case 'owner':
      return `the owner ${grant.name}`;
    case 'service':
      return grant.name === '*' ? 'any service' : `service ${grant.name}`;
    case 'role':
      return `role ${grant.name}`;
  }
}
