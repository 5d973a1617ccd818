import { refusal } from '#kit';

/** What a policy is for: every service, a service, or one method of it. */
export interface Target {
  /** Registry name, such as `order`; `*` stands for every service. */
  readonly service: string;
  /** Name in the contract, such as `PlaceOrder`; undefined: every method. */
  readonly method: string | undefined;
}

/** The service that stands for all. */
export const EVERY_SERVICE = '*';

const FORM = /^(?:\*|([a-z][a-z0-9-]{0,62})(?:\.([A-Za-z][A-Za-z0-9]{0,99}))?)$/;

/** Reads `*`, `order` or `order.PlaceOrder`. INVALID_ARGUMENT for anything else. */
export function parseTarget(text: string): Target {
  const found = FORM.exec(text);
  if (found) return { service: found[1] ?? EVERY_SERVICE, method: found[2] };
  throw refusal('INVALID_ARGUMENT', `"${text}" names no service and no method; write it like order, or order.PlaceOrder, or * for every service`);
}

/** The other way round: keys of documents and of the setting have targets in this form. */
export function targetText({ service, method }: Target): string {
  return method === undefined ? service : `${service}.${method}`;
}

/** Whose words count for a target, strongest first: `order.PlaceOrder`, `order`, `*`. */
export function levelsOf({ service, method }: Target): readonly string[] {
  const levels = [...(method === undefined ? [] : [targetText({ service, method })]), service, EVERY_SERVICE];
  return [...new Set(levels)];
}
