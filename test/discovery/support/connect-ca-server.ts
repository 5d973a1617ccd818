import { createPrivateKey } from 'node:crypto';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Server, ServerCredentials, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js';
import { SignRequestSchema, SignResponseSchema, WatchRootsResponseSchema } from '#proto/hashicorp/consul/connectca/ca_pb.js';

import { EC_P256, ECDSA_SHA256, loadX509 } from '../../../discovery/certificates/x509.ts';
import { certificateOf, type TestAuthority } from './authority.ts';

/** Consul's ConnectCAService, as far as a client sees it. */
export interface ConnectCaServer {
  readonly address: string;
  /** The tokens that came with signatures. */
  readonly tokens: readonly string[];
  signatures(): number;
  /** From now on this one signs; what `others` signed is still believed. */
  setSigner(authority: TestAuthority, others: readonly TestAuthority[]): void;
  /** What becomes of signatures from now on; undefined: they are made. */
  setFailure(code: status | undefined): void;
  stop(): Promise<void>;
}

const raw = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const service = {
  sign: { path: '/hashicorp.consul.connectca.ConnectCAService/Sign', requestStream: false, responseStream: false, ...raw },
  watchRoots: { path: '/hashicorp.consul.connectca.ConnectCAService/WatchRoots', requestStream: false, responseStream: true, ...raw },
};

/** @param tls who vouches for the port itself; undefined: it is in clear text */
export async function startConnectCa(first: TestAuthority, ttlMs = 3_600_000, tls?: TestAuthority): Promise<ConnectCaServer> {
  let [signer, others, failure]: [TestAuthority, readonly TestAuthority[], status | undefined] = [first, [], undefined];
  const streams = new Set<ServerWritableStream<Buffer, Buffer>>();
  const tokens: string[] = [];
  let signatures = 0;
  const roots = (): Buffer => rootsMessage(signer, others);
  const server = new Server();
  server.addService(service, {
    sign: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      tokens.push(String(call.metadata.get('x-consul-token')[0] ?? ''));
      if (failure !== undefined) return answer({ code: failure, details: 'told to fail' });
      signatures += 1;
      signRequest(signer, fromBinary(SignRequestSchema, call.request).csr, ttlMs).then(
        (certPem) => answer(null, Buffer.from(toBinary(SignResponseSchema, create(SignResponseSchema, { certPem })))),
        (error: Error) => answer({ code: status.INVALID_ARGUMENT, details: error.message }),
      );
    },
    watchRoots: (call: ServerWritableStream<Buffer, Buffer>) => {
      streams.add(call);
      call.on('close', () => streams.delete(call));
      call.write(roots());
    },
  });
  const own = await tls?.leaf('consul');
  const pair = own && { cert_chain: Buffer.from(own.chainPem), private_key: Buffer.from(own.keyPem) };
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', pair ? ServerCredentials.createSsl(null, [pair]) : ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return {
    address: `127.0.0.1:${port}`,
    tokens,
    signatures: () => signatures,
    setSigner: (authority, before) => {
      [signer, others] = [authority, before];
      for (const stream of streams) stream.write(roots());
    },
    setFailure: (code) => (failure = code),
    stop: async () => {
      server.forceShutdown();
    },
  };
}

function rootsMessage(signer: TestAuthority, others: readonly TestAuthority[]): Buffer {
  const roots = [...others, signer].map(({ root }) => ({ id: root.id, rootCert: root.certPem, active: root === signer.root }));
  const message = create(WatchRootsResponseSchema, { activeRootId: signer.root.id, trustDomain: signer.trust.trustDomain, roots });
  return Buffer.from(toBinary(WatchRootsResponseSchema, message));
}

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';

/** As Consul signs: one identity, and the names as they were asked for. */
async function signRequest({ root }: TestAuthority, csrPem: string, ttlMs: number): Promise<string> {
  const x509 = await loadX509();
  const request = new x509.Pkcs10CertificateRequest(csrPem);
  if (!(await request.verify())) throw new Error('the signature of the request is wrong');
  const asked = request.extensions.find(({ type }) => type === SUBJECT_ALTERNATIVE_NAME);
  const names = asked && new x509.SubjectAlternativeNameExtension(asked.rawData);
  if (names?.names.items.filter(({ type }) => type === 'url').length !== 1) throw new Error('CSR SAN contains an invalid number of URIs');
  const notBefore = new Date(Date.now() - 60_000);
  const certificate = await x509.X509CertificateGenerator.create({
    ...{ notBefore, notAfter: new Date(notBefore.getTime() + ttlMs) },
    issuer: new x509.X509Certificate(root.certPem).subject,
    publicKey: request.publicKey,
    signingKey: createPrivateKey(root.keyPem ?? '').toCryptoKey(EC_P256, false, ['sign']),
    signingAlgorithm: ECDSA_SHA256,
    extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth]), names],
  });
  const pem = certificate.toString('pem');
  if (!certificateOf(pem).verify(certificateOf(root.certPem).publicKey)) throw new Error('it could not be signed');
  return root.crossPem === undefined ? pem : `${pem}\n${root.crossPem}`;
}

function same(bytes: Buffer): Buffer {
  return bytes;
}
