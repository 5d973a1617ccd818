import { KeyObject, webcrypto } from 'node:crypto';

import type { AlternativeNames } from './alternative-names.ts';
import { EC_P256, ECDSA_SHA256, generalNames, loadX509 } from './x509.ts';

/** A request for a certificate, and the key that never leaves this process. */
export interface SigningRequest {
  readonly csrPem: string;
  readonly privateKey: KeyObject;
}

/** Makes a new key for each request: a key that leaked is of use until the next renewal. */
export async function createSigningRequest(uri: string, names: AlternativeNames): Promise<SigningRequest> {
  const { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } = await loadX509();
  const keys = await webcrypto.subtle.generateKey(EC_P256, true, ['sign', 'verify']);
  // No subject: the names are the identity. A critical extension says that they must be understood (RFC 5280, 4.2.1.6).
  const extensions = [new SubjectAlternativeNameExtension(generalNames(uri, names), true)];
  const request = await Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: ECDSA_SHA256, extensions });
  return { csrPem: request.toString('pem'), privateKey: KeyObject.from(keys.privateKey) };
}
