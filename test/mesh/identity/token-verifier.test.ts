import { expect } from 'chai';
import { base64url, type CryptoKey, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';

import { refusal } from '#kit';

import type { AccessToken } from '../../../mesh/identity/access-token.ts';
import { createRecentTokens } from '../../../mesh/identity/recent-tokens.ts';
import { createTokenVerifier, type TokenVerifierOptions, type VerifyToken } from '../../../mesh/identity/token-verifier.ts';
import { expectRefusal } from '../../database/expect-refusal.ts';
import { createRuledClock } from '../support/ruled-clock.ts';

const ISSUER = 'shop.user.v1.AccountService';
const AUDIENCE = 'shopmesh';
const SECOND_MS = 1_000;

/** What is put in the place of a good token's. */
interface Wrong {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly key?: CryptoKey | Uint8Array;
}

describe('the verifier of access tokens', () => {
  const clock = createRuledClock();
  const nowSeconds = clock.now() / SECOND_MS;
  let privateKey: CryptoKey;
  let publicKey: CryptoKey;
  let strangersKey: CryptoKey;
  before(async () => {
    ({ privateKey, publicKey } = await generateKeyPair('EdDSA'));
    ({ privateKey: strangersKey } = await generateKeyPair('EdDSA'));
  });

  const CLAIMS = { iss: ISSUER, aud: AUDIENCE, sub: 'first', jti: 'token', iat: nowSeconds, exp: nowSeconds + 300, ver: 3, roles: ['customer'] };

  function verifier(options: Partial<TokenVerifierOptions> = {}): VerifyToken {
    const keys = { find: async (keyId: string) => (keyId === 'ours' ? publicKey : undefined) };
    return createTokenVerifier({ keys, clock, issuer: ISSUER, audience: AUDIENCE, ...options });
  }

  function token({ claims = {}, header = {}, key = privateKey }: Wrong = {}): Promise<string> {
    return new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader({ alg: 'EdDSA', kid: 'ours', typ: 'at+jwt', ...header }).sign(key, { crit: { ext: true } });
  }

  async function expectRefused(why: string, text: string, verify = verifier()): Promise<void> {
    const { code, metadata, message, cause } = await expectRefusal('ACCESS_TOKEN_REFUSED', verify(text));
    expect({ code, metadata, cause }).to.deep.equal({ code: 'UNAUTHENTICATED', metadata: { why }, cause: undefined });
    if (text !== '') expect(message).not.to.include(text);
  }

  it('reads who it is, and as what', async () => {
    const expected: AccessToken = { userId: 'first', roles: ['customer'], tokenId: 'token', generation: 3, expireTimeMs: clock.now() + 300 * SECOND_MS };
    expect(await verifier()(await token())).to.deep.equal(expected);
  });

  it('bears clocks that are 30 s apart, either way', async () => {
    await verifier()(await token({ claims: { exp: nowSeconds - 29 } }));
    await verifier()(await token({ claims: { nbf: nowSeconds + 29 } }));
    await expectRefused('expired', await token({ claims: { exp: nowSeconds - 31 } }));
    await expectRefused('invalid', await token({ claims: { nbf: nowSeconds + 31 } }));
  });

  it('refuses one that was voided', async () => {
    const isRevoked = ({ userId, generation }: AccessToken): boolean => userId === 'first' && generation < 4;
    await expectRefused('revoked', await token(), verifier({ isRevoked }));
    await verifier({ isRevoked })(await token({ claims: { ver: 4 } }));
  });

  it('checks the signature of a token again after a minute, and everything else each time', async () => {
    let asked = 0;
    const state = { isRevoked: false };
    const keys = {
      async find() {
        asked += 1;
        return asked < 3 ? publicKey : undefined;
      },
    };
    const ruled = createRuledClock();
    const verify = verifier({ keys, clock: ruled, isRevoked: () => state.isRevoked });
    const text = await token();
    for (let count = 0; count < 3; count += 1) await verify(text);
    expect(asked).to.equal(1);
    ruled.advance(60 * SECOND_MS);
    await verify(text);
    expect(asked).to.equal(2);
    state.isRevoked = true;
    await expectRefused('revoked', text, verify);
    state.isRevoked = false;
    await verify(text);
    // The key was taken back.
    ruled.advance(60 * SECOND_MS);
    await expectRefused('invalid', text, verify);
  });

  it('says nothing of a token whose key cannot be asked for', async () => {
    const keys = { find: () => Promise.reject(refusal('TOKEN_KEYS_UNKNOWN', 'try again in a second')) };
    await expectRefusal('TOKEN_KEYS_UNKNOWN', verifier({ keys })(await token()));
  });

  it('lets a token that it has seen expire within that minute', async () => {
    const ruled = createRuledClock();
    const verify = verifier({ clock: ruled });
    const text = await token({ claims: { exp: nowSeconds + 10 } });
    await verify(text);
    ruled.advance(40 * SECOND_MS);
    await expectRefused('expired', text, verify);
  });

  it('keeps its bounds, whatever comes', async () => {
    const recent = createRecentTokens(clock);
    const one: AccessToken = { userId: 'first', roles: [], tokenId: 'token', generation: 0, expireTimeMs: 0 };
    for (let count = 0; count <= 2_000; count += 1) recent.add(`token-${count}`, one);
    expect([recent.find('token-0'), recent.find('token-1'), recent.find('token-2000')]).to.deep.equal([undefined, one, one]);
  });

  describe('refuses one', () => {
    const wrongs: Readonly<Record<string, Wrong>> = {
      'of another issuer': { claims: { iss: 'shop.other.v1.OtherService' } },
      'for another audience': { claims: { aud: 'othermesh' } },
      'that never expires': { claims: { exp: undefined } },
      'of nobody': { claims: { sub: undefined } },
      'with an empty subject': { claims: { sub: '' } },
      'with a subject of no bounds': { claims: { sub: 'x'.repeat(65) } },
      'without an id': { claims: { jti: undefined } },
      'without a time of issue': { claims: { iat: undefined } },
      'without a generation': { claims: { ver: undefined } },
      'of a generation that is no number': { claims: { ver: '3' } },
      'of a generation below the first': { claims: { ver: -1 } },
      'whose roles are no list': { claims: { roles: 'staff' } },
      'whose roles are no names': { claims: { roles: [{ name: 'staff' }] } },
      'with roles without end': { claims: { roles: Array.from({ length: 33 }, (_, index) => `role-${index}`) } },
      'of another type, such as an ID token of the same key': { header: { typ: 'JWT' } },
      'without a type': { header: { typ: undefined } },
      'without a key id': { header: { kid: undefined } },
      'of a key that is not ours': { header: { kid: 'theirs' } },
      'whose key id has no bounds': { header: { kid: 'ours'.repeat(17) } },
      'with an extension that must be understood': { header: { crit: ['ext'], ext: true } },
    };
    for (const [what, wrong] of Object.entries(wrongs)) {
      it(what, async () => {
        await expectRefused('invalid', await token(wrong));
      });
    }

    it('that another key has signed in our key\'s name', async () => {
      await expectRefused('invalid', await token({ key: strangersKey }));
    });

    it('that brings its own key along', async () => {
      const { privateKey: own, publicKey: ownPublic } = await generateKeyPair('EdDSA', { extractable: true });
      const jwk = await crypto.subtle.exportKey('jwk', ownPublic);
      await expectRefused('invalid', await token({ header: { jwk }, key: own }));
      await expectRefused('invalid', await token({ header: { jwk, kid: undefined }, key: own }));
      await expectRefused('invalid', await token({ header: { jku: 'http://127.0.0.1:1/keys' }, key: own }));
    });

    it('without a signature, whatever it says of that', async () => {
      const unsecured = new UnsecuredJWT(CLAIMS).encode();
      await expectRefused('invalid', unsecured);
      const [, payload = ''] = unsecured.split('.');
      for (const alg of ['none', 'None', 'NONE', '']) {
        await expectRefused('invalid', `${base64url.encode(JSON.stringify({ alg, kid: 'ours', typ: 'at+jwt' }))}.${payload}.`);
      }
    });

    it('signed by another algorithm, with our public key as its secret', async () => {
      const secret = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey));
      await expectRefused('invalid', await token({ header: { alg: 'HS256' }, key: secret }));
      const { privateKey: elliptic } = await generateKeyPair('ES256');
      await expectRefused('invalid', await token({ header: { alg: 'ES256' }, key: elliptic }));
    });

    it('whose claims were changed after it was signed', async () => {
      const [header, , signature] = (await token()).split('.');
      const forged = base64url.encode(JSON.stringify({ ...CLAIMS, roles: ['staff'] }));
      await expectRefused('invalid', `${header}.${forged}.${signature}`);
    });

    it('that is none', async () => {
      const good = await token();
      for (const text of ['', '..', 'a.b.c', `${good}.x`, good.slice(0, -2), `${good} `, 'Bearer x', '{}', '\u0000']) await expectRefused('invalid', text);
    });

    it('that is much longer than ours, without decoding it', async () => {
      let asked = 0;
      const keys = { find: async () => void (asked += 1) };
      await expectRefused('invalid', await token({ claims: { more: 'x'.repeat(4_096) } }), verifier({ keys: keys as TokenVerifierOptions['keys'] }));
      expect(asked).to.equal(0);
    });
  });
});
