import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';

import { TOKEN_ALGORITHM } from '#mesh';
import {
  type AccountSchema,
  type IssueVerificationCodeResponseSchema,
  type JsonWebKeySchema,
  type RevocationSchema,
  type SessionSchema,
  type TokensSchema,
  VerificationPurpose,
} from '#proto/shop/user/v1/account_pb.js';

import { type AccountOfPerson, type Session, type Verification } from './domain.ts';
import type { RevocationRow } from './revocation-store.ts';
import type { SignedIn } from './sessions.ts';
import type { PublicKeyRow } from './signing-key-store.ts';
import type { CodeToSend } from './verifying.ts';

/** Those of which mails are sent; of the others no code is ever issued. */
const PURPOSES: Readonly<Record<Verification['purpose'], VerificationPurpose>> = {
  REGISTRATION: VerificationPurpose.REGISTRATION,
  ALREADY_REGISTERED: VerificationPurpose.ALREADY_REGISTERED,
  PASSWORD_RESET: VerificationPurpose.PASSWORD_RESET,
  NOBODY: VerificationPurpose.UNSPECIFIED,
};

export function accountToProto({ userId, email, displayName, roles, createTime }: AccountOfPerson): MessageInitShape<typeof AccountSchema> {
  return { userId, email, displayName, roles: [...roles], createTime: timestampFromDate(createTime) };
}

export function sessionToProto({ sessionId, userId, createTime, refreshTime, expireTime, refreshes }: Session): MessageInitShape<typeof SessionSchema> {
  const times = { createTime: timestampFromDate(createTime), refreshTime: timestampFromDate(refreshTime), expireTime: timestampFromDate(expireTime) };
  return { sessionId, userId, ...times, refreshes };
}

interface SignedInMessage {
  readonly session: MessageInitShape<typeof SessionSchema>;
  readonly tokens: MessageInitShape<typeof TokensSchema>;
}

/** Session and tokens: what each method that gives tokens answers. */
export function signedInToProto(signedIn: SignedIn): SignedInMessage {
  const { session, accessToken, accessExpireTime, refreshToken } = signedIn;
  return { session: sessionToProto(session), tokens: { accessToken, accessExpireTime: timestampFromDate(accessExpireTime), refreshToken } };
}

/** As a JSON Web Key of RFC 8037. */
export function keyToProto({ keyId, x, expireTime }: PublicKeyRow): MessageInitShape<typeof JsonWebKeySchema> {
  return { kid: keyId, kty: 'OKP', crv: 'Ed25519', x, alg: TOKEN_ALGORITHM, use: 'sig', expireTime: timestampFromDate(expireTime) };
}

export function revocationToProto({ sequence, userId, generation, expireTime }: RevocationRow): MessageInitShape<typeof RevocationSchema> {
  return { sequence, userId, generation, expireTime: timestampFromDate(expireTime) };
}

export function codeToProto({ verification, code, expireTime }: CodeToSend): MessageInitShape<typeof IssueVerificationCodeResponseSchema> {
  const { purpose, email, displayName } = verification;
  return { purpose: PURPOSES[purpose], email, displayName, code, codeExpireTime: timestampFromDate(expireTime) };
}
