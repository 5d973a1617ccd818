import { X509Certificate } from 'node:crypto';

import type { RootRecord } from './ca-records.ts';
import type { RootList } from './ca.ts';
import type { CachedLeaf } from './leaf-cache.ts';

/** As in `/v1/agent/connect/ca/roots`. */
export function rootsAnswer({ trustDomain, roots }: RootList, index: number) {
  return { ActiveRootID: roots[0]?.id ?? '', TrustDomain: trustDomain, Roots: roots.map((root) => rootAnswer(root, index)) };
}

function rootAnswer({ id, certPem, crossPem, rotatedOutAtMs }: RootRecord, index: number) {
  const certificate = new X509Certificate(certPem);
  return {
    ID: id,
    Name: 'Embedded agent CA Root Cert',
    SerialNumber: Number.parseInt(certificate.serialNumber, 16),
    NotBefore: certificate.validFromDate.toISOString(),
    NotAfter: certificate.validToDate.toISOString(),
    RootCert: certPem,
    IntermediateCerts: crossPem === undefined ? null : [crossPem],
    Active: rotatedOutAtMs === 0,
    PrivateKeyType: 'ec',
    PrivateKeyBits: 256,
    CreateIndex: index,
    ModifyIndex: index,
  };
}

/** As in `/v1/agent/connect/ca/leaf/:service`. */
export function leafAnswer({ service, spiffeId, serialNumber, chainPem, keyPem, notBeforeMs, notAfterMs, index }: CachedLeaf) {
  return {
    SerialNumber: serialNumber,
    CertPEM: chainPem,
    PrivateKeyPEM: keyPem,
    Service: service,
    ServiceURI: spiffeId,
    ValidAfter: new Date(notBeforeMs).toISOString(),
    ValidBefore: new Date(notAfterMs).toISOString(),
    CreateIndex: index,
    ModifyIndex: index,
  };
}

/** As in `/v1/connect/ca/configuration`. */
export function configurationAnswer(leafTtlMs: number) {
  return { Provider: 'consul', Config: { LeafCertTTL: `${leafTtlMs / 1_000}s` }, ForceWithoutCrossSigning: false };
}
