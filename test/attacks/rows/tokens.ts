import { base64url, type CryptoKey, decodeJwt, exportJWK, generateKeyPair, type JWTPayload, jwtVerify, SignJWT } from 'jose';

import { silentLog, systemClock } from '#kit';
import { createAuthorization } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { type AccessToken, readAccessToken } from '../../../mesh/identity/access-token.ts';
import { createTokenVerifier, type TokenVerifierOptions, type VerifyToken } from '../../../mesh/identity/token-verifier.ts';
import { as } from '../../mesh/identity/people.ts';
import { createRuledClock } from '../../mesh/support/ruled-clock.ts';
import { attempt } from '../attempt.ts';
import type { Attack, Attempt } from '../attack.ts';
import type { Grounds } from '../mesh/grounds.ts';
import { startTarget } from '../mesh/target.ts';

const [ISSUER, AUDIENCE, KEY_ID] = ['shop.user.v1.AccountService', 'shopmesh', 'ours'];
const REFUSED = { code: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REFUSED' };
const HOUR_MS = 3_600_000;

const clock = createRuledClock();
const nowSeconds = clock.now() / 1_000;
const CLAIMS = { iss: ISSUER, aud: AUDIENCE, sub: 'victim', jti: 'token', iat: nowSeconds, exp: nowSeconds + 300, ver: 3, roles: ['staff'] };
const HEADER = { alg: 'EdDSA', kid: KEY_ID, typ: 'at+jwt' };

const ours = await generateKeyPair('EdDSA');
const strangers = await generateKeyPair('EdDSA', { extractable: true });
const strangersJwk = await exportJWK(strangers.publicKey);

const keysWith = (publicKey: CryptoKey, isKnown = (keyId: string): boolean => keyId === KEY_ID): TokenVerifierOptions['keys'] => ({
  find: async (keyId) => (isKnown(keyId) ? publicKey : undefined),
});

/** What a row is made of: a token, and what the verifier is like that takes it. */
interface TokenRow {
  readonly name: string;
  readonly attack: string;
  readonly guard: string;
  token(): Promise<string>;
  /** The verifier without the guard: ours with other options, or another one. */
  readonly off: Partial<TokenVerifierOptions> | VerifyToken;
}

const sign = (claims: object = {}, header: object = {}, key: CryptoKey | Uint8Array = ours.privateKey): Promise<string> =>
  new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader({ ...HEADER, ...header }).sign(key);

const encoded = (part: object): string => base64url.encode(JSON.stringify(part));

function read(claims: JWTPayload): AccessToken {
  const token = readAccessToken(claims);
  if (!token) throw new Error('these are no claims of ours');
  return token;
}

/** A verifier that looks at no signature. */
const trusting: VerifyToken = async (text) => read(decodeJwt(text));

/** One that asks for everything but the kind of token. */
const ofAnyKind: VerifyToken = async (text) => {
  const { payload } = await jwtVerify(text, ours.publicKey, { algorithms: ['EdDSA'], issuer: ISSUER, audience: AUDIENCE, currentDate: new Date(clock.now()) });
  return read(payload);
};

const ROWS: readonly TokenRow[] = [
  {
    name: 'token-forged',
    attack: 'an access token that a stranger signed under the id of our key',
    guard: 'a key set that holds published keys only',
    token: () => sign({}, {}, strangers.privateKey),
    off: { keys: keysWith(strangers.publicKey) },
  },
  {
    name: 'token-unknown-key',
    attack: 'an access token of a key that we never published',
    guard: 'a key set that holds published keys only',
    token: () => sign({}, { kid: 'theirs' }, strangers.privateKey),
    off: { keys: keysWith(strangers.publicKey, () => true) },
  },
  {
    name: 'token-own-key',
    attack: 'an access token that brings its key along in its header',
    guard: 'a key that is looked up, never read from the token',
    token: () => sign({}, { jwk: strangersJwk, kid: 'theirs' }, strangers.privateKey),
    // As a verifier would have it that believes the header.
    off: { keys: keysWith(strangers.publicKey, (keyId) => keyId === 'theirs') },
  },
  {
    name: 'token-none',
    attack: 'an access token of the algorithm "none"',
    guard: 'a check of signatures by one algorithm',
    token: async () => `${encoded({ ...HEADER, alg: 'none' })}.${encoded(CLAIMS)}.`,
    off: trusting,
  },
  {
    name: 'token-stripped',
    attack: 'a good access token with its signature cut off',
    guard: 'a check of signatures by one algorithm',
    token: async () => `${(await sign()).split('.').slice(0, 2).join('.')}.`,
    off: trusting,
  },
  {
    name: 'token-confused',
    attack: 'an access token signed by HMAC, with our public key as its secret',
    guard: 'a check of signatures by one algorithm',
    token: async () => sign({}, { alg: 'HS256' }, new Uint8Array(await crypto.subtle.exportKey('raw', ours.publicKey))),
    off: trusting,
  },
  {
    name: 'token-changed',
    attack: 'a good access token whose claims were changed',
    guard: 'a check of signatures by one algorithm',
    token: async () => {
      const [header, , signature] = (await sign({ sub: 'attacker', roles: ['customer'] })).split('.');
      return `${header}.${encoded(CLAIMS)}.${signature}`;
    },
    off: trusting,
  },
  {
    name: 'token-expired',
    attack: 'an access token that has expired an hour ago',
    guard: 'a clock',
    token: () => sign({ iat: nowSeconds - 3_900, exp: nowSeconds - 3_600 }),
    off: { clock: createRuledClock(clock.now() - HOUR_MS - 60_000) },
  },
  {
    name: 'token-audience',
    attack: 'an access token that was made for somebody else',
    guard: 'an audience of our own',
    token: () => sign({ aud: 'other-shop' }),
    off: { audience: 'other-shop' },
  },
  {
    name: 'token-issuer',
    attack: 'an access token of another issuer',
    guard: 'an issuer that is asked for',
    token: () => sign({ iss: 'shop.other.v1.OtherService' }),
    off: { issuer: 'shop.other.v1.OtherService' },
  },
  {
    name: 'token-kind',
    attack: 'an ID token of the same key and audience',
    guard: 'a check of the kind of token',
    token: () => sign({}, { typ: 'JWT' }),
    off: ofAnyKind,
  },
  {
    name: 'token-revoked',
    attack: 'an access token from before its owner signed out everywhere',
    guard: 'the list of revocations',
    token: () => sign(),
    off: { isRevoked: () => false },
  },
];

/** Access tokens that are none, each sent with a call for its victim's orders. */
export function tokenAttacks(grounds: () => Grounds): readonly Attack[] {
  return ROWS.map(({ name, attack, guard, token, off }) => ({
    ...{ name, attack, guard },
    must: 'is refused as UNAUTHENTICATED, ACCESS_TOKEN_REFUSED',
    async run(state) {
      const options = { keys: keysWith(ours.publicKey), clock, issuer: ISSUER, audience: AUDIENCE, isRevoked: ({ generation }: AccessToken) => isVoid(name, generation) };
      if (state === 'on') return callWith(await token(), createTokenVerifier(options), grounds());
      return callWith(await token(), typeof off === 'function' ? off : createTokenVerifier({ ...options, ...off }), grounds());
    },
  }));
}

async function callWith(token: string, verify: VerifyToken, grounds: Grounds): Promise<Attempt> {
  const authorization = createAuthorization({ verify, clock: systemClock, log: silentLog });
  const target = await startTarget(grounds, { guards: (method) => [authorization.link(method)] });
  try {
    const orders = await target.as('cart', OrderService);
    return await attempt(orders.listOrders({ userId: CLAIMS.sub }, as(token)), REFUSED);
  } finally {
    await target.stop();
    await authorization.stop();
  }
}

/** Only the row about revocations has any: else the others could be refused for it. */
function isVoid(name: string, generation: number): boolean {
  return name === 'token-revoked' && generation < 4;
}
