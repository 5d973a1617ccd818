import { X509Certificate } from 'node:crypto';

/** A leaf and three intermediates are 4 KiB. */
const MAX_PEM_LENGTH = 64 * 1024;

/** The certificates of a PEM text, in its order; what stands between them is left out. Throws when one cannot be read. */
export function readChain(pem: string): readonly X509Certificate[] {
  if (pem.length > MAX_PEM_LENGTH) throw new Error(`a chain of certificates has at most ${MAX_PEM_LENGTH} characters`);
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}
