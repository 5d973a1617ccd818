import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Shop } from '../../shop/shop-fixture.ts';
import { PASSWORD, SET_SECRETS, type Victim } from '../attacked-shop.ts';
import { SECRET_SETTINGS } from './secret-settings.ts';

/** A secret, as it is looked for. */
export interface Canary {
  readonly name: string;
  /** In each of the ways in which it might stand somewhere. */
  readonly forms: readonly string[];
}

/** Shorter ones would be found by chance. */
const MIN_CHARACTERS = 12;

/** Every kind of secret that this shop has. */
export async function secretsOf(shop: Shop, victim: Victim, wrong: Readonly<Record<string, string>>): Promise<readonly Canary[]> {
  const { environment } = shop;
  const { refreshToken, accessToken, code } = victim;
  const people = {
    password: PASSWORD,
    'refresh token': refreshToken,
    // Without its header, which is the same in all.
    'access token': accessToken.split('.')[2] ?? '',
    'mailed code': code,
    ...wrong,
  };
  const all = { ...people, ...namedSettings(), ...SET_SECRETS, STRIPE_API_KEY: environment['STRIPE_API_KEY'] ?? '', ...databasePasswords(environment), ...(await privateKeys(environment)) };
  return Object.entries(all).map(([name, secret]) => canaryOf(name, secret));
}

export function canaryOf(name: string, secret: string): Canary {
  if (secret.length < MIN_CHARACTERS) throw new Error(`the ${name} is not there, or too short to be looked for`);
  const bytes = [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), Buffer.from(secret).toString('hex'), encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  // As bytes, too, which is how a token would stand in a table.
  if (/^[\w-]{64,}$/.test(secret)) bytes.push(Buffer.from(secret, 'base64url').toString('hex'));
  return { name, forms: [...new Set(bytes)] };
}

/** Each under a name of its own: the shop has some of these settings itself. */
function namedSettings(): Record<string, string> {
  return Object.fromEntries(Object.entries(SECRET_SETTINGS).map(([name, { secret }]) => [`${name} as set for \`mesh config\``, secret]));
}

/** Of each role; the owner of several databases is one. */
function databasePasswords(environment: Readonly<Record<string, string>>): Record<string, string> {
  const urls = Object.values(environment).flatMap((value) => (/^postgres(ql)?:/.test(value) ? (URL.parse(value) ?? []) : []));
  return Object.fromEntries(urls.map(({ username, password }) => [`password of role ${username}`, decodeURIComponent(password)]));
}

/** That of one leaf, and of the authority where it is the stand-in's: of each the first line, in which a part of the secret stands. */
async function privateKeys(environment: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const leaf = await fetch(`${environment['CONSUL_HTTP_ADDR']}/v1/agent/connect/ca/leaf/order`);
  // As the API has it.
  const { PrivateKeyPEM: leafKey } = (await leaf.json()) as { PrivateKeyPEM: string };
  const ofLeaf = { 'key of a leaf': firstLine(leafKey) };
  const agent = join(environment['MESH_DATA_DIR'] ?? '', 'agent');
  // Consul itself never lets its key out, so that there is none to look for.
  if (!existsSync(agent)) return ofLeaf;
  const authority = await readFile(join(agent, 'connect-ca.json'), 'utf8');
  const authorityKey = /-----BEGIN (?:EC )?PRIVATE KEY-----[^-]+-----END/.exec(authority)?.[0] ?? '';
  return { ...ofLeaf, 'key of the authority': firstLine(authorityKey) };
}

function firstLine(pem: string): string {
  return pem.split(/\\n|\n/).find((line) => /^[\w+/=]{40,}$/.test(line)) ?? '';
}
