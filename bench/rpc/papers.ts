import { createPrivateKey, type KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';

import type { ServiceIdentity, TrustBundle } from '#discovery';
import { newId, systemClock, systemRandom } from '#kit';
import type { TokenKeys } from '#mesh';

import { createCertificateMaker, newKeyPem } from '../../discovery/agent/ca-certificates.ts';

/** Longer than a benchmark takes. */
const TTL_MS = 12 * 3_600_000;
const KEY_ID = 'bench';
export const ISSUER = 'shop.user.v1.AccountService';
export const AUDIENCE = 'shopmesh';

interface Written {
  readonly trust: TrustBundle;
  readonly leaves: Readonly<Record<string, { readonly chainPem: string; readonly keyPem: string }>>;
  readonly token: string;
  readonly tokenKey: JWK;
}

/** What caller and callee prove who they are with: certificates of one authority, and a user's token. */
export interface Papers {
  identity(service: string): ServiceIdentity;
  readonly token: string;
  readonly tokenKeys: TokenKeys;
}

/** Makes papers for these services, in a folder of their own: they are not for the list of processes. Returns the folder. */
export async function issuePapers(services: readonly string[]): Promise<{ readonly folder: string; withdraw(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'shopmesh-papers-'));
  const clusterId = newId(systemClock, systemRandom);
  const maker = createCertificateMaker(systemClock, systemRandom);
  const root = await maker.root(clusterId, await newKeyPem(), undefined);
  const leaves = Object.fromEntries(await Promise.all(services.map(async (service) => [service, await maker.leaf(clusterId, root, service, TTL_MS)] as const)));
  const written: Written = { trust: { trustDomain: `${clusterId}.consul`, roots: [root.certPem] }, leaves, ...(await issueToken()) };
  await writeFile(join(folder, 'papers.json'), JSON.stringify(written), { mode: 0o600 });
  return { folder, withdraw: () => rm(folder, { recursive: true, force: true }) };
}

export async function readPapers(folder: string): Promise<Papers> {
  const { trust, leaves, token, tokenKey }: Written = JSON.parse(await readFile(join(folder, 'papers.json'), 'utf8'));
  const publicKey = await importJWK(tokenKey, 'EdDSA');
  if (publicKey instanceof Uint8Array) throw new Error('the key of tokens is one of a pair');
  return {
    token,
    tokenKeys: { find: async (keyId) => (keyId === KEY_ID ? publicKey : undefined) },
    identity(service) {
      const leaf = leaves[service];
      if (!leaf) throw new Error(`no certificate was made for ${service}`);
      return fixedIdentity(service, leaf.chainPem, createPrivateKey(leaf.keyPem), trust);
    },
  };
}

/** It is not renewed: no benchmark lasts as long. */
function fixedIdentity(service: string, chainPem: string, privateKey: KeyObject, trust: TrustBundle): ServiceIdentity {
  const leaf = { service, spiffeId: '', chainPem, privateKey, notBeforeMs: 0, notAfterMs: Infinity };
  return { service, leaf: () => leaf, trust: () => trust, onChange: () => () => {}, stop: async () => {} };
}

async function issueToken(): Promise<Pick<Written, 'token' | 'tokenKey'>> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA');
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'demo', jti: 'bench', iat: nowSeconds, exp: nowSeconds + TTL_MS / 1_000, ver: 0, roles: ['staff'] };
  const token = await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', kid: KEY_ID, typ: 'at+jwt' }).sign(privateKey);
  return { token, tokenKey: await exportJWK(publicKey) };
}
