import { backoffMs, type Log, MeshError } from '#kit';

import type { WatchSink } from './shared-watch.ts';
import type { ConsulAddress } from './address.ts';
import { certificatesFromAgent } from './certificate-from-agent.ts';
import { certificatesFromSigner } from './certificate-from-signer.ts';
import type { CertificateParts, CertificateSource } from './certificate-parts.ts';
import type { ConnectCaClient } from './connect-ca-client.ts';
import { unavailable } from './failure.ts';
import { type GrpcAddress, parseGrpcAddress } from './grpc-address.ts';
import type { ConsulToken } from './token.ts';

export interface CertificateOptions {
  /**
   * `agent`: the agent makes key and leaf. `sign`: the key is made here, and Consul's gRPC port signs. `auto`: sign where
   * that port is there and answers, else agent, but for who has a token and set `grpcAddress`. Default `auto`.
   */
  readonly source?: 'auto' | 'agent' | 'sign';
  /** CONSUL_GRPC_ADDR. Default: where the agent says that its port is. */
  readonly grpcAddress?: string;
  /** Who vouches for the certificate of a gRPC port with TLS, PEM. */
  readonly grpcCaPem?: string;
  /** The name in that certificate, where it is not the host: CONSUL_TLS_SERVER_NAME. */
  readonly grpcServerName?: string;
  /** IP addresses besides loopback that the leaves name; only with `sign`. */
  readonly ipAddresses?: readonly string[];
  /**
   * Lifetime to ask for, in place of the authority's own: for a leaf that a person takes away, as nobody renews it. Only the
   * embedded agent heeds it; Consul gives every leaf the lifetime in its configuration.
   */
  readonly leafTtlMs?: number;
  /** Over how long services spread their requests when another root begins to sign. Default 10,000. */
  readonly rotationSpreadMs?: number;
}

export interface ChosenSourceOptions extends CertificateParts {
  readonly certificates: CertificateOptions;
  /** Of the HTTP API. */
  readonly address: ConsulAddress;
  readonly token: ConsulToken;
  readonly log: Log;
}

/** How long `auto` waits for the roots from a gRPC port before it takes the agent's leaves. */
const PROBE_MS = 2_000;

const MIN_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 5_000;

/** Finds out at first use where the certificates come from, and stays with it. `close()` ends its connection. */
export function createCertificateSource(options: ChosenSourceOptions): CertificateSource & { close(): void } {
  const { clock, random, outage } = options;
  const clients = new Set<ConnectCaClient>();
  let choice: Promise<CertificateSource> | undefined;

  async function chosen(sink: Pick<WatchSink<unknown>, 'fail'>, signal: AbortSignal): Promise<CertificateSource | undefined> {
    for (let failures = 1; !signal.aborted; failures += 1) {
      choice ??= choose(options, clients);
      const mine = choice;
      try {
        return await mine;
      } catch (thrown) {
        if (choice === mine) choice = undefined;
        const error = MeshError.from(thrown);
        outage.failed('certificates', error);
        sink.fail(error);
        await clock.sleep(backoffMs(failures, MIN_BACKOFF_MS, MAX_BACKOFF_MS, random), signal).catch(() => undefined);
      }
    }
    return undefined;
  }

  return {
    keepLeaf: async (service, trust, sink, signal) => (await chosen(sink, signal))?.keepLeaf(service, trust, sink, signal),
    keepTrust: async (sink, signal) => (await chosen(sink, signal))?.keepTrust(sink, signal),
    close: () => {
      for (const client of clients) client.close();
    },
  };
}

const FROM_AGENT = 'certificates come from the agent, which gives a copy of them, with the key, to whoever asks it';

/** Once for a process, which stays with it: what changes later, such as the rights of a token, counts from the next start on. */
function sayAgent({ certificates, token, log }: ChosenSourceOptions, reason: string, consul?: string): void {
  const fields = { reason, ...(consul !== undefined && { consul }) };
  // Where there are tokens, there are some who must not be others. Whoever sets `agent` has been told; one's own machine has no others.
  const isDoubtful = certificates.source !== 'agent' && (consul !== undefined || token.current() !== undefined);
  if (isDoubtful) log.warn(fields, `${FROM_AGENT}, until this process ends; set MESH_CERTIFICATES=sign, and CONSUL_GRPC_ADDR`);
  else log.debug(fields, `${FROM_AGENT}, until this process ends`);
}

async function choose(options: ChosenSourceOptions, clients: Set<ConnectCaClient>): Promise<CertificateSource> {
  const { source = 'auto', ipAddresses = [], rotationSpreadMs = 10_000 } = options.certificates;
  const address = source === 'agent' ? undefined : await grpcAddress(options);
  options.outage.succeeded('certificates');
  if (!address) {
    if (source === 'sign') throw unavailable('refused', 'Consul does not say where its gRPC port is; set CONSUL_GRPC_ADDR, or MESH_CERTIFICATES=agent');
    sayAgent(options, source === 'agent' ? 'MESH_CERTIFICATES is agent' : 'Consul does not say where its gRPC port is');
    return certificatesFromAgent(options);
  }
  const authority = await openAuthority(address, options, clients);
  const trouble = source === 'auto' ? await troubleOf(authority, options) : undefined;
  if (trouble === undefined) {
    const reason = source === 'sign' ? 'MESH_CERTIFICATES is sign' : "Consul's gRPC port answers";
    options.log.info({ reason, consul: authority.address }, 'certificates are signed by Consul, for keys that are made here, until this process ends');
    return certificatesFromSigner({ ...options, authority, ipAddresses, rotationSpreadMs });
  }
  clients.delete(authority);
  authority.close();
  // Whoever has a token and says where leaves are signed counts on keys that stay here; an outage at start is no reason to give that up.
  if (options.token.current() !== undefined && (options.certificates.grpcAddress ?? '') !== '') {
    throw unavailable('unreachable', `Consul's gRPC port at ${authority.address} does not sign (${trouble}); this goes on trying. MESH_CERTIFICATES=agent takes the agent's leaves instead`);
  }
  sayAgent(options, `Consul's gRPC port does not sign: ${trouble}`, authority.address);
  return certificatesFromAgent(options);
}

/** As set, else beside the HTTP API, with TLS where that has it: a token must not go in clear text where it need not. */
async function grpcAddress({ certificates, consul, address }: ChosenSourceOptions): Promise<GrpcAddress | undefined> {
  if (certificates.grpcAddress !== undefined && certificates.grpcAddress !== '') return parseGrpcAddress(certificates.grpcAddress);
  const ports = await consul.grpcPorts();
  const port = (address.secure ? ports?.tls : ports?.plaintext) ?? 0;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return port > 0 ? { authority: `${host}:${port}`, secure: address.secure } : undefined;
}

/** Loads the client only now: where the agent makes the leaves, nothing of gRPC is needed for them. */
async function openAuthority(address: GrpcAddress, { certificates, token, clock }: ChosenSourceOptions, clients: Set<ConnectCaClient>): Promise<ConnectCaClient> {
  const { createConnectCaClient } = await import('./connect-ca-client.ts');
  const { grpcCaPem, grpcServerName } = certificates;
  const client = createConnectCaClient({
    ...address,
    clock,
    token,
    ...(grpcCaPem !== undefined && { caPem: grpcCaPem }),
    ...(grpcServerName !== undefined && { serverName: grpcServerName }),
  });
  clients.add(client);
  return client;
}

/** Why the authority is of no use; undefined when it shows the roots in time. */
async function troubleOf(authority: ConnectCaClient, { clock }: ChosenSourceOptions): Promise<string | undefined> {
  const [probing, answered] = [new AbortController(), new AbortController()];
  clock.sleep(PROBE_MS, answered.signal).then(
    () => probing.abort(),
    () => undefined,
  );
  let hasRoots = false;
  try {
    await authority.watchRoots(() => {
      hasRoots = true;
      probing.abort();
    }, probing.signal);
    return hasRoots ? undefined : `it did not answer within ${PROBE_MS} ms`;
  } catch (thrown) {
    return MeshError.from(thrown).message;
  } finally {
    answered.abort();
  }
}
