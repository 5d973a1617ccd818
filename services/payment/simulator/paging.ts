import { type Form, integerIn } from './form.ts';

/** Which part of a list is asked for: https://docs.stripe.com/api/pagination. */
export interface Page {
  readonly startingAfter: string | undefined;
  /** One more than asked for, which is how to know that there are more. */
  readonly limit: number;
}

export const PAGE_PARAMETERS = ['limit', 'starting_after'];

/** 1 to 100 objects, by default 10. */
export function readPage(form: Form): Page {
  return { startingAfter: form.get('starting_after'), limit: integerIn(form, 'limit', { min: 1, max: 100, fallback: 10 }) + 1 };
}

export function toStripeList(url: string, found: readonly object[], { limit }: Page): object {
  return { object: 'list', data: found.slice(0, limit - 1), has_more: found.length === limit, url };
}
