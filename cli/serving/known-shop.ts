import { type MeshError, refusal } from '#kit';

import { isGiven, type Resolved } from '../settings.ts';

/**
 * Whether these settings lead to a shop: the one of this folder, whose supervisor has said where its registry is, or
 * another one that was named. Where neither is so, whatever answers at the usual address belongs to somebody else.
 */
export function isKnownShop(settings: Pick<Resolved, 'origins'>): boolean {
  return isGiven('CONSUL_HTTP_ADDR', settings);
}

/** How a shop comes to run in this folder. */
export const START_A_SHOP = 'start one with `npm start` or `npx mesh up`';

/** What to say where {@link isKnownShop} is not so. `others`: the settings that name another one. */
export function noShopHere(others = 'CONSUL_HTTP_ADDR'): MeshError {
  return refusal('NOT_RUNNING', `no shop runs in this folder: ${START_A_SHOP}, or set ${others} to use another one`);
}
