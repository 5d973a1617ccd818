import { createPrivateKey } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';

import { configurationAnswer, leafAnswer, rootsAnswer } from './ca-answers.ts';
import { parseGoDurationMs } from './duration.ts';
import { badRequest, badValue, type Fields, fieldsOf, parseFields, refuseOthers, textOf } from './fields.ts';
import { LIMITS } from './limits.ts';
import type { AgentParts } from './parts.ts';

const SERVICE_NAME = /^[A-Za-z0-9._-]{1,128}$/;
/** Consul's own limits. */
const [MIN_LEAF_TTL_MS, MAX_LEAF_TTL_MS] = [3_600_000, 365 * 24 * 3_600_000];
/** Of a leaf that is asked for with `?ttl=`. */
const MIN_SHORT_TTL_MS = 60_000;

/**
 * The certificate authority: roots and leaves as the agent shows them, and its configuration, by which a root is rotated
 * (https://developer.hashicorp.com/consul/api-docs/connect/ca).
 */
export function caRoutes({ certificates: { authority, leaves }, blocking }: AgentParts): Hono {
  const app = new Hono();

  const roots = async (c: Context): Promise<Response> => {
    await authority.roots();
    await blocking(c, authority.rootsIndex);
    return c.json(rootsAnswer(await authority.roots(), authority.rootsIndex()));
  };
  app.get('/agent/connect/ca/roots', roots);
  app.get('/connect/ca/roots', roots);

  app.get('/agent/connect/ca/leaf/:service', async (c) => {
    const service = c.req.param('service');
    if (!SERVICE_NAME.test(service)) throw badRequest('the name of a service has up to 128 of A-Z, a-z, 0-9, ., _ and -');
    const ttl = c.req.query('ttl');
    if (ttl !== undefined) return c.json(leafAnswer({ ...(await authority.issue(service, shortTtlMs(ttl))), index: leaves.indexOf(service) }));
    if (c.req.query('index') === undefined) await leaves.freshOf(service);
    else await leaves.of(service);
    await blocking(c, () => leaves.indexOf(service));
    return c.json(leafAnswer(await leaves.of(service)));
  });

  app.get('/connect/ca/configuration', async (c) => c.json(configurationAnswer((await authority.configuration()).leafTtlMs)));
  app.put('/connect/ca/configuration', bodyLimit({ maxSize: LIMITS.registrationBytes }), async (c) => {
    const rotated = await authority.configure(readConfiguration(await c.req.text()));
    if (rotated) leaves.renewAll();
    return c.body(null);
  });
  return app;
}

/** An addition of ours, which Consul does not know and passes over: a leaf for a person, which nobody renews. */
function shortTtlMs(text: string): number {
  const ttlMs = parseGoDurationMs(text);
  if (ttlMs === undefined || ttlMs < MIN_SHORT_TTL_MS) throw badRequest('?ttl must be a duration of a minute or more, such as 1h');
  return ttlMs;
}

function readConfiguration(text: string): { readonly leafTtlMs?: number; readonly keyPem?: string } {
  const body = parseFields(text);
  refuseOthers(body, ['Provider', 'Config', 'ForceWithoutCrossSigning'], 'CA configuration');
  if (textOf(body, 'Provider') !== 'consul') throw new HTTPException(501, { message: 'the embedded agent has only the built-in certificate authority; run Consul for others' });
  const config = fieldsOf(body, 'Config');
  refuseOthers(config, ['LeafCertTTL', 'IntermediateCertTTL', 'RootCertTTL', 'PrivateKey', 'RootCert', 'PrivateKeyType', 'PrivateKeyBits'], 'CA configuration');
  if (textOf(config, 'RootCert') !== '') throw new HTTPException(501, { message: 'the embedded agent makes its own roots; give only PrivateKey, or run Consul' });
  const leafTtlMs = readLeafTtl(config);
  const key = textOf(config, 'PrivateKey');
  return { ...(leafTtlMs !== undefined && { leafTtlMs }), ...(key !== '' && { keyPem: readKey(key) }) };
}

function readLeafTtl(config: Fields): number | undefined {
  const text = textOf(config, 'LeafCertTTL');
  if (text === '') return undefined;
  const ttlMs = parseGoDurationMs(text);
  if (ttlMs !== undefined && ttlMs >= MIN_LEAF_TTL_MS && ttlMs <= MAX_LEAF_TTL_MS) return ttlMs;
  throw badValue('leaf cert TTL must be greater or equal than 1h0m0s and at most a year');
}

/** In one spelling, so that the same key given twice is the same root. */
function readKey(pem: string): string {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key.export({ format: 'pem', type: 'sec1' }).toString();
  } catch {
    // Said below; the parser's words could quote the key.
  }
  throw badValue('PrivateKey must be an EC key on P-256 in PEM');
}
