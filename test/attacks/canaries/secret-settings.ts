import { randomBytes } from 'node:crypto';

import { SETTINGS } from '../../../cli/settings.ts';

/** Addresses that are no secrets, into which people write passwords all the same. */
const ADDRESSES = ['CONSUL_HTTP_ADDR', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'MESH_JAEGER_URL'];
const SCHEMES: Readonly<Record<string, string>> = { SMTP_URL: 'smtp', CONSUL_HTTP_ADDR: 'http', OTEL_EXPORTER_OTLP_ENDPOINT: 'http', MESH_JAEGER_URL: 'http' };

/** Every setting that can hold a secret, with one in it: found among the settings, so that a new one is covered as soon as there is one. */
export const SECRET_SETTINGS: Readonly<Record<string, { readonly secret: string; readonly value: string }>> = Object.fromEntries(
  Object.entries(SETTINGS)
    .filter(([name, setting]) => setting.secret || ADDRESSES.includes(name))
    .map(([name]) => {
      const secret = `canary${randomBytes(12).toString('hex')}`;
      return [name, { secret, value: valueOf(name, secret) }];
    }),
);

/** Text that the setting takes. */
function valueOf(name: string, secret: string): string {
  if (name === 'STRIPE_API_KEY') return `sk_test_${secret}`;
  const isUrl = name.includes('URL') || name in SCHEMES;
  return isUrl ? `${SCHEMES[name] ?? 'postgres'}://somebody:${secret}@127.0.0.1:1/shop` : secret;
}
