import { createPrivateKey, KeyObject, webcrypto } from 'node:crypto';

import { EC_P256, ECDSA_SHA256, loadX509 } from '../../../../discovery/certificates/x509.ts';
import type { TestAuthority } from '../../../discovery/support/authority.ts';
import type { Shown } from '../../../discovery/support/held-identity.ts';

const BOTH_ENDS = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];
const DAY_MS = 86_400_000;

export interface OddCertificate {
  /** URIs among its names. */
  readonly uris: readonly string[];
  /** Default: both ends of a connection. */
  readonly usages?: readonly string[];
  /** Default: a day from now. */
  readonly expiresMs?: number;
  /** Default: itself. */
  readonly issuer?: TestAuthority;
}

/** A certificate as no authority of a mesh would make it. */
export async function makeOdd({ uris, usages = BOTH_ENDS, expiresMs = Date.now() + DAY_MS, issuer }: OddCertificate): Promise<Shown> {
  const x509 = await loadX509();
  const keys = await webcrypto.subtle.generateKey(EC_P256, true, ['sign', 'verify']);
  const name = issuer ? new x509.X509Certificate(issuer.root.certPem).subject : 'CN=nobody';
  const certificate = await x509.X509CertificateGenerator.create({
    issuer: name,
    subject: issuer ? 'CN=odd' : name,
    publicKey: keys.publicKey,
    signingKey: issuer ? createPrivateKey(issuer.root.keyPem ?? '').toCryptoKey(EC_P256, false, ['sign']) : keys.privateKey,
    signingAlgorithm: ECDSA_SHA256,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(expiresMs),
    extensions: [
      new x509.SubjectAlternativeNameExtension(uris.map((value) => ({ type: 'url' as const, value }))),
      new x509.BasicConstraintsExtension(false),
      new x509.ExtendedKeyUsageExtension([...usages]),
    ],
  });
  return { chainPem: certificate.toString('pem'), keyPem: KeyObject.from(keys.privateKey).export({ format: 'pem', type: 'pkcs8' }).toString() };
}
