import { generateKeyPair, jwtVerify, SignJWT } from 'jose';

import { systemClock } from '#kit';
import { createTokenVerifier, TOKEN_ALGORITHM, TOKEN_TYPE } from '#mesh';

import { AUDIENCE, ISSUER } from '../rpc/papers.ts';
import { answerParent } from '../rpc/parent.ts';

/** What the program is told. */
export interface TokenArgument {
  /** Tokens of so many people. The verifier remembers 2,000. */
  readonly tokens: number;
}

/** Us that one token takes, one after another. */
export interface TokensTook {
  readonly unseenUs: number;
  readonly seenUs: number;
  /** The library alone, which checks the signature and the times. */
  readonly joseUs: number;
}

const TTL_S = 3_600;
const KEY_ID = 'bench';

const { tokens: count }: TokenArgument = JSON.parse(process.argv[2] ?? '{}');
const { privateKey, publicKey } = await generateKeyPair(TOKEN_ALGORITHM);
const tokens = await Promise.all(Array.from({ length: count }, (_, index) => sign(`person-${index}`)));

function sign(sub: string): Promise<string> {
  const iat = Math.floor(Date.now() / 1_000);
  const claims = { iss: ISSUER, aud: AUDIENCE, sub, jti: sub, iat, exp: iat + TTL_S, ver: 0, roles: ['customer'] };
  return new SignJWT(claims).setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: KEY_ID, typ: TOKEN_TYPE }).sign(privateKey);
}

async function usEach(verify: (token: string) => Promise<unknown>): Promise<number> {
  const began = performance.now();
  for (const token of tokens) await verify(token);
  return ((performance.now() - began) * 1_000) / tokens.length;
}

/** A verifier that has seen none of them sees each, and then each again. */
async function measure(): Promise<TokensTook> {
  const verify = createTokenVerifier({ keys: { find: async () => publicKey }, clock: systemClock, issuer: ISSUER, audience: AUDIENCE });
  const joseUs = await usEach((token) => jwtVerify(token, publicKey, { algorithms: [TOKEN_ALGORITHM], issuer: ISSUER, audience: AUDIENCE, typ: TOKEN_TYPE }));
  return { joseUs, unseenUs: await usEach(verify), seenUs: await usEach(verify) };
}

answerParent({}, { measure });
