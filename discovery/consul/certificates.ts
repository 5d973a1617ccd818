import { isDeepStrictEqual } from 'node:util';
import { type Clock, type Log, MeshError, refusal, type Stoppable } from '#kit';

import type { Certificates, LeafCertificate, TrustBundle } from '../certificate.ts';
import { createExpiryAlarm } from '../certificates/expiry-alarm.ts';
import type { CertificateSource } from './certificate-parts.ts';
import { failureKind, unavailable } from './failure.ts';
import { openIdentity } from './open-identity.ts';
import { createSharedWatch, type SharedWatch, type WatchSink } from './shared-watch.ts';

export interface CertificatesOptions {
  readonly source: CertificateSource;
  readonly clock: Clock;
  readonly log: Log;
  /** How long the first leaf of a service may take. Default 10,000. */
  readonly patienceMs?: number;
}

/** A name that can stand in an identity, a host name and an address of the authority. */
const SERVICE_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The certificates of this process, whoever they come from: one leaf a service, one list of roots. */
export function createCertificates({ source, clock, log, patienceMs = 10_000 }: CertificatesOptions): Certificates & Stoppable {
  const counts = { renewals: 0, failures: 0, expired: 0 };
  const trust = createSharedWatch<TrustBundle>({
    equal: isDeepStrictEqual,
    run: (sink, signal) => source.keepTrust(counted(sink), signal),
  });
  const leaves = new Map<string, SharedWatch<LeafCertificate>>();

  function counted<T>(sink: WatchSink<T>): WatchSink<T> {
    return {
      ...sink,
      fail: (error) => {
        counts.failures += 1;
        sink.fail(error);
      },
    };
  }

  async function keepLeaf(service: string, sink: WatchSink<LeafCertificate>, signal: AbortSignal): Promise<void> {
    const alarm = createExpiryAlarm({ clock, log, onExpired: () => (counts.expired += 1) });
    let watched: LeafCertificate | undefined;
    const publish = (leaf: LeafCertificate): void => {
      if (leaf.chainPem === watched?.chainPem) return sink.publish(watched);
      if (watched) counts.renewals += 1;
      watched = leaf;
      alarm.set(leaf);
      sink.publish(leaf);
    };
    await source.keepLeaf(service, trust, { ...counted(sink), publish }, signal);
    alarm.cancel();
  }

  function leavesOf(service: string): SharedWatch<LeafCertificate> {
    const created = (): SharedWatch<LeafCertificate> =>
      createSharedWatch({ equal: (one, other) => one.chainPem === other.chainPem, run: (sink, signal) => keepLeaf(service, sink, signal) });
    const watch = leaves.get(service) ?? created();
    leaves.set(service, watch);
    return watch;
  }

  return {
    identity: async (service, signal) => {
      if (!SERVICE_NAME.test(service)) throw refusal('INVALID_ARGUMENT', `"${service}" cannot be the name of a service: use up to 63 of a-z, 0-9 and -`);
      const patience = startPatience(clock, patienceMs);
      const waiting = signal ? AbortSignal.any([signal, patience.over]) : patience.over;
      try {
        return await openIdentity({ service, leaves: leavesOf(service), trust, signal: waiting, isFinal });
      } catch (thrown) {
        signal?.throwIfAborted();
        if (thrown instanceof MeshError) throw thrown;
        throw unavailable('unreachable', `Consul has given ${service} no certificate for ${patienceMs} ms; see its log`);
      } finally {
        patience.end();
      }
    },
    counts: () => ({ ...counts }),
    stop: async () => {
      await Promise.all([...leaves.values()].map((watch) => watch.stop()));
      await trust.stop();
    },
  };
}

/** What passes by itself is waited for; what Consul refuses is not. */
function isFinal(error: MeshError): boolean {
  return failureKind(error) === 'refused';
}

function startPatience(clock: Clock, ms: number): { readonly over: AbortSignal; end(): void } {
  const [over, ended] = [new AbortController(), new AbortController()];
  clock.sleep(ms, ended.signal).then(
    () => over.abort(),
    () => undefined,
  );
  return { over: over.signal, end: () => ended.abort() };
}
