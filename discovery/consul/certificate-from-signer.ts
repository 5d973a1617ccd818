import { backoffMs, createAlarm, MeshError } from '#kit';

import { alternativeNames } from '../certificates/alternative-names.ts';
import { readLeaf } from '../certificates/read-leaf.ts';
import { LOOK_AGAIN_MS, renewAtMs } from '../certificates/renewal.ts';
import { createSigningRequest } from '../certificates/signing-request.ts';
import { spiffeUri } from '../certificates/spiffe-id.ts';
import type { LeafCertificate, TrustBundle } from '../certificate.ts';
import type { CertificateParts, CertificateSource } from './certificate-parts.ts';
import type { ConnectCaClient } from './connect-ca-client.ts';
import { unavailable } from './failure.ts';
import type { SharedWatch, WatchSink } from './shared-watch.ts';

export interface SignerOptions extends CertificateParts {
  readonly authority: ConnectCaClient;
  /** Where this process is reached besides loopback. */
  readonly ipAddresses: readonly string[];
  /** Over how long the services spread their requests when a new root signs. */
  readonly rotationSpreadMs: number;
}

/** Where this machine's clock is far ahead of Consul's, each new leaf seems due at once. */
const MIN_RENEWAL_MS = 30_000;

const MIN_BACKOFF_MS = 500;
/** Consul signs 50 a second, and refuses the rest. */
const MAX_BACKOFF_MS = 30_000;

/** Leaves for keys of our own, which never leave this process, with the host names that other clients insist on. */
export function certificatesFromSigner(options: SignerOptions): CertificateSource {
  return {
    keepLeaf: (service, trust, sink, signal) => keepSigned(service, trust, options, sink, signal),
    keepTrust: (sink, signal) => followRoots(options, sink, signal),
  };
}

async function keepSigned(
  service: string,
  trust: SharedWatch<TrustBundle>,
  options: SignerOptions,
  sink: WatchSink<LeafCertificate>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, outage } = options;
  const party = `certificate of ${service}`;
  const alarm = createAlarm(clock);
  const plan: Plan = { dueMs: Infinity };
  const following = trust.subscribe({
    onValue: (bundle) => {
      learnRoots(plan, bundle, options);
      alarm.ring();
    },
    onError: (error) => plan.trust ?? sink.fail(error),
  });
  let failures = 0;
  while (!signal.aborted) {
    const { trust: signer, dueMs } = plan;
    const restMs = dueMs - clock.now();
    if (!signer || restMs > 0) {
      await alarm.sleep(Math.min(restMs, LOOK_AGAIN_MS), signal).catch(() => undefined);
      continue;
    }
    try {
      const leaf = await newLeaf(service, signer.trustDomain, options, signal);
      failures = 0;
      // A root that began to sign meanwhile has set the time for the next leaf.
      if (isSameSigner(plan.trust, signer)) plan.dueMs = Math.max(renewAtMs(leaf, random), clock.now() + MIN_RENEWAL_MS);
      outage.succeeded(party);
      sink.publish(leaf);
    } catch (thrown) {
      if (signal.aborted) break;
      failures += 1;
      plan.dueMs = clock.now() + backoffMs(failures, MIN_BACKOFF_MS, MAX_BACKOFF_MS, random);
      const error = MeshError.from(thrown);
      outage.failed(party, error);
      sink.fail(error);
    }
  }
  await following.stop();
  outage.forget(party);
}

/** When to ask for the next leaf, and whose it will be. */
interface Plan {
  trust?: TrustBundle;
  dueMs: number;
}

/** The first roots: at once. Another root that signs: soon, not all services in the same moment. */
function learnRoots(plan: Plan, bundle: TrustBundle, { clock, random, rotationSpreadMs }: SignerOptions): void {
  if (!plan.trust) plan.dueMs = clock.now();
  else if (!isSameSigner(plan.trust, bundle)) plan.dueMs = clock.now() + rotationSpreadMs * random.number();
  plan.trust = bundle;
}

function isSameSigner(one: TrustBundle | undefined, other: TrustBundle): boolean {
  return one?.roots[0] === other.roots[0] && one?.trustDomain === other.trustDomain;
}

async function newLeaf(service: string, trustDomain: string, options: SignerOptions, signal: AbortSignal): Promise<LeafCertificate> {
  const { consul, authority, ipAddresses, clock } = options;
  const datacenter = await consul.datacenter(signal);
  const uri = spiffeUri({ trustDomain, datacenter, service });
  const { csrPem, privateKey } = await createSigningRequest(uri, alternativeNames(service, ipAddresses));
  const chainPem = await authority.sign(csrPem, signal);
  try {
    return readLeaf(service, chainPem, privateKey, clock.now());
  } catch (thrown) {
    throw unavailable('unreachable', `the leaf of ${service} that Consul signed cannot be used: ${thrown instanceof Error ? thrown.message : 'it is none'}`);
  }
}

async function followRoots({ authority, outage, clock, random }: SignerOptions, sink: WatchSink<TrustBundle>, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await authority.watchRoots((bundle) => {
        failures = 0;
        outage.succeeded('roots');
        sink.publish(bundle);
      }, signal);
    } catch (thrown) {
      failures += 1;
      const error = MeshError.from(thrown);
      outage.failed('roots', error);
      sink.fail(error);
      await clock.sleep(backoffMs(failures, MIN_BACKOFF_MS, MAX_BACKOFF_MS, random), signal).catch(() => undefined);
    }
  }
  outage.forget('roots');
}
