import type * as X509 from '@peculiar/x509';

import type { AlternativeNames } from './alternative-names.ts';

/** Loads what makes certificates and requests for them, at first use. The library needs the first of the two before it. */
export async function loadX509(): Promise<typeof X509> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** Of every key that is made here. */
export const EC_P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;

export const ECDSA_SHA256 = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** The names in the library's terms, the identity first. */
export function generalNames(uri: string, { dnsNames, ipAddresses }: AlternativeNames): X509.JsonGeneralNames {
  return [
    { type: 'url', value: uri },
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
  ];
}
