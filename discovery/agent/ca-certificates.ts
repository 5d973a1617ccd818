import { createPrivateKey, createPublicKey, KeyObject, webcrypto } from 'node:crypto';
import type { Extension } from '@peculiar/x509';
import type { Clock, Random } from '#kit';

import { alternativeNames } from '../certificates/alternative-names.ts';
import { spiffeUri } from '../certificates/spiffe-id.ts';
import { EC_P256, ECDSA_SHA256, generalNames, loadX509 } from '../certificates/x509.ts';
import { DATACENTER } from './answers.ts';
import { type IssuedLeaf, type RootRecord, trustDomainOf } from './ca-records.ts';

/** Makes certificates. */
export interface CertificateMaker {
  /** A root for a key, of this authority; with a root before it also the same key under that one. */
  root(clusterId: string, keyPem: string, before: RootRecord | undefined): Promise<RootRecord>;
  leaf(clusterId: string, signer: RootRecord, service: string, ttlMs: number): Promise<IssuedLeaf>;
}

const ROOT_TTL_MS = 10 * 365 * 86_400_000;

/** Clocks in one mesh differ a little: a certificate is valid from a minute ago, as Consul's are. */
const BACKDATE_MS = 60_000;

export function newKeyPem(): Promise<string> {
  return webcrypto.subtle.generateKey(EC_P256, true, ['sign', 'verify']).then(({ privateKey }) => sec1Pem(privateKey));
}

export function createCertificateMaker(clock: Clock, random: Random): CertificateMaker {
  function lifetime(ttlMs: number): { readonly notBefore: Date; readonly notAfter: Date } {
    const notBeforeMs = clock.now() - BACKDATE_MS;
    return { notBefore: new Date(notBeforeMs), notAfter: new Date(notBeforeMs + ttlMs) };
  }

  /** A positive number; two certificates of one issuer must not share it. */
  function serial(bytes: number): string {
    const [first = 0, ...rest] = random.bytes(bytes);
    return Buffer.from([(first & 0x3f) | 0x40, ...rest]).toString('hex');
  }

  return {
    root: async (clusterId, keyPem, before) => {
      const { X509CertificateGenerator } = await loadX509();
      const { publicKey, signingKey } = importKey(keyPem);
      const name = await subjectOf(clusterId, keyPem);
      const extensions = await rootExtensions(publicKey, clusterId);
      const common = { publicKey, subject: name, signingAlgorithm: ECDSA_SHA256, ...lifetime(ROOT_TTL_MS) };
      const own = await X509CertificateGenerator.create({ ...common, serialNumber: serial(6), issuer: name, signingKey, extensions });
      const record = { id: colons(Buffer.from(await own.getThumbprint('SHA-1'))), certPem: own.toString('pem'), keyPem, rotatedOutAtMs: 0 };
      if (before?.keyPem === undefined) return record;
      const { issuer, key, extension } = await issuerOf(before.certPem, before.keyPem);
      const cross = await X509CertificateGenerator.create({
        ...{ ...common, serialNumber: serial(6), issuer, signingKey: key },
        extensions: [...extensions, extension],
      });
      return { ...record, crossPem: cross.toString('pem') };
    },
    leaf: async (clusterId, signer, service, ttlMs) => {
      const { X509CertificateGenerator } = await loadX509();
      const { issuer, key, extension } = await issuerOf(signer.certPem, signer.keyPem ?? '');
      const keys = await webcrypto.subtle.generateKey(EC_P256, true, ['sign', 'verify']);
      const spiffeId = spiffeUri({ trustDomain: trustDomainOf({ clusterId }), datacenter: DATACENTER, service });
      const serialNumber = serial(16);
      const certificate = await X509CertificateGenerator.create({
        ...lifetime(ttlMs),
        serialNumber,
        issuer,
        publicKey: keys.publicKey,
        signingKey: key,
        signingAlgorithm: ECDSA_SHA256,
        extensions: [...(await leafExtensions(keys.publicKey, spiffeId, service)), extension],
      });
      return {
        service,
        spiffeId,
        serialNumber: colons(Buffer.from(serialNumber, 'hex')),
        chainPem: [certificate.toString('pem'), ...(signer.crossPem === undefined ? [] : [signer.crossPem])].map((pem) => `${pem.trim()}\n`).join(''),
        keyPem: sec1Pem(keys.privateKey),
        notBeforeMs: certificate.notBefore.getTime(),
        notAfterMs: certificate.notAfter.getTime(),
      };
    },
  };
}

async function leafExtensions(publicKey: webcrypto.CryptoKey, spiffeId: string, service: string): Promise<Extension[]> {
  const x509 = await loadX509();
  const { digitalSignature, keyEncipherment, dataEncipherment, keyAgreement } = x509.KeyUsageFlags;
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  return [
    new x509.KeyUsagesExtension(digitalSignature | keyEncipherment | dataEncipherment | keyAgreement, true),
    new x509.ExtendedKeyUsageExtension([clientAuth, serverAuth]),
    new x509.BasicConstraintsExtension(false, undefined, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
    // Consul's agent names the identity only. With host names other programs accept the leaf as well.
    new x509.SubjectAlternativeNameExtension(generalNames(spiffeId, alternativeNames(service)), true),
  ];
}

async function rootExtensions(publicKey: webcrypto.CryptoKey, clusterId: string): Promise<Extension[]> {
  const x509 = await loadX509();
  const { keyCertSign, cRLSign, digitalSignature } = x509.KeyUsageFlags;
  return [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(keyCertSign | cRLSign | digitalSignature, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
    new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomainOf({ clusterId })}` }]),
  ];
}

/** One name for each key: with one for all roots, a verifier would try the wrong one. */
async function subjectOf(clusterId: string, keyPem: string): Promise<string> {
  const der = createPublicKey(keyPem).export({ format: 'der', type: 'spki' });
  const digest = Buffer.from(await webcrypto.subtle.digest('SHA-256', der)).toString('hex');
  return `CN=shopmesh-${digest.slice(0, 8)}.embedded.ca.${clusterId.slice(0, 8)}.consul`;
}

/** What a certificate takes from its issuer. */
async function issuerOf(certPem: string, keyPem: string): Promise<{ readonly issuer: string; readonly key: webcrypto.CryptoKey; readonly extension: Extension }> {
  const { AuthorityKeyIdentifierExtension, X509Certificate } = await loadX509();
  const { publicKey, signingKey } = importKey(keyPem);
  return { issuer: new X509Certificate(certPem).subject, key: signingKey, extension: await AuthorityKeyIdentifierExtension.create(publicKey) };
}

function importKey(keyPem: string): { readonly publicKey: webcrypto.CryptoKey; readonly signingKey: webcrypto.CryptoKey } {
  const privateKey = createPrivateKey(keyPem);
  return {
    publicKey: createPublicKey(privateKey).toCryptoKey(EC_P256, true, ['verify']),
    signingKey: privateKey.toCryptoKey(EC_P256, false, ['sign']),
  };
}

/** As Consul writes keys. */
function sec1Pem(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ format: 'pem', type: 'sec1' }).toString();
}

function colons(bytes: Buffer): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
