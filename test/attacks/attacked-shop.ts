import { randomUUID } from 'node:crypto';

import { MODULE_NAMES } from '#modules';

import { until } from '../database/until.ts';
import { ADDRESS, newProduct, newUser, place, requestFor } from '../shop/orders.ts';
import { type Shop, startShop } from '../shop/shop-fixture.ts';
import { mailedCode } from './mailed-code.ts';
import type { Subjects } from './strings/valid-request.ts';

/** Whether every input is tried, or a few of each: `npm run test:attacks`, or `npm test`. */
export const IS_FULL = process.env['ATTACKS_FULL'] === 'true';
/** Says which inputs are tried where not all are. Otherwise always the same, so that what turns a run red is the change. */
export const SEED = process.env['ATTACKS_SEED'] ?? 'shopmesh';

const STARTS_WITHIN_MS = 60_000;

export const PASSWORD = `canary-password-${randomUUID()}`;

/** Secrets that operators set. The rest of them come to be at the start. */
export const SET_SECRETS = {
  CONSUL_HTTP_TOKEN: randomUUID(),
  STRIPE_WEBHOOK_SECRET: `whsec_canary${randomUUID().replaceAll('-', '')}`,
} as const;

/** A whole shop with secrets that are looked for, and a log that keeps nothing back. */
export async function startAttackedShop(settings: Readonly<Record<string, string>> = {}): Promise<Shop> {
  const shop = await startShop({ topology: IS_FULL ? 'micro' : 'monolith', settings: { ...SET_SECRETS, MESH_LOG_LEVEL: 'trace', ...settings } });
  try {
    // On a busy machine the first checks of their health come late.
    for (const name of MODULE_NAMES) await until(`${name} has a healthy instance`, () => isHealthy(shop, name), STARTS_WITHIN_MS);
    return shop;
  } catch (thrown) {
    await shop.stop();
    throw thrown;
  }
}

async function isHealthy({ environment }: Shop, service: string): Promise<boolean> {
  const answer = await fetch(`${environment['CONSUL_HTTP_ADDR']}/v1/health/service/${service}?passing=true`);
  const body: unknown = await answer.json();
  return Array.isArray(body) && body.length > 0;
}

/** Somebody with an account, a session and a paid order. */
export interface Victim {
  readonly userId: string;
  readonly email: string;
  readonly refreshToken: string;
  readonly accessToken: string;
  /** The code that was mailed to them. */
  readonly code: string;
  readonly subjects: Subjects;
}

export async function newVictim(shop: Shop): Promise<Victim> {
  const { accounts } = shop;
  const email = `${randomUUID()}@example.com`;
  const { verification } = await accounts.register({ email, password: PASSWORD, displayName: 'Victim' });
  const verificationId = verification?.verificationId ?? '';
  const code = await mailedCode(shop, email);
  await accounts.verifyEmail({ verificationId, code });
  const { tokens } = await accounts.signIn({ email, password: PASSWORD });
  const [userId, productId] = [await newUser(shop), await newProduct(shop, 1_000n)];
  const { orderId } = await place(shop, requestFor(userId, productId, { shippingAddress: ADDRESS }));
  const { sagas } = await shop.sagas.listSagas({ orderId });
  const { refreshToken = '', accessToken = '' } = tokens ?? {};
  return {
    ...{ userId, email, refreshToken, accessToken, code },
    subjects: { user_id: userId, product_id: productId, order_id: orderId, saga_id: sagas[0]?.sagaId ?? '', verification_id: verificationId, refresh_token: refreshToken },
  };
}
