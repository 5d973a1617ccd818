import type { MeshError, Stoppable } from '#kit';

import type { LeafCertificate, ServiceIdentity, TrustBundle } from '../certificate.ts';
import type { SharedWatch } from './shared-watch.ts';

export interface IdentityOptions {
  readonly service: string;
  readonly leaves: Pick<SharedWatch<LeafCertificate>, 'subscribe'>;
  readonly trust: Pick<SharedWatch<TrustBundle>, 'subscribe'>;
  /** Ends the waiting for the first leaf and the first roots. Does not hear of it once they are there. */
  readonly signal: AbortSignal;
  /** Whether it is of no use to wait for something better than this error. */
  readonly isFinal: (error: MeshError) => boolean;
}

/** Resolves when leaf and roots are there. Rejects with a final error, with the latest one when the signal aborts, or with its reason. */
export async function openIdentity({ service, leaves, trust, signal, isFinal }: IdentityOptions): Promise<ServiceIdentity> {
  const listeners = new Set<() => void>();
  const known: { leaf?: LeafCertificate; trust?: TrustBundle } = {};
  const first = Promise.withResolvers<{ readonly leaf: LeafCertificate; readonly trust: TrustBundle }>();
  let latestError: MeshError | undefined;

  function learn(news: typeof known): void {
    Object.assign(known, news);
    if (known.leaf && known.trust) first.resolve({ leaf: known.leaf, trust: known.trust });
    for (const listener of [...listeners]) listener();
  }
  const onError = (error: MeshError): void => {
    latestError = error;
    if (isFinal(error)) first.reject(error);
  };
  const subscriptions: readonly Stoppable[] = [
    trust.subscribe({ onValue: (bundle) => learn({ trust: bundle }), onError }),
    leaves.subscribe({ onValue: (leaf) => learn({ leaf }), onError }),
  ];
  const stop = async (): Promise<void> => {
    listeners.clear();
    await Promise.all(subscriptions.map((subscription) => subscription.stop()));
  };
  const giveUp = (): void => first.reject(latestError ?? signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    const { leaf, trust: bundle } = await first.promise;
    return {
      service,
      leaf: () => known.leaf ?? leaf,
      trust: () => known.trust ?? bundle,
      onChange: (listener) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      stop,
    };
  } catch (thrown) {
    await stop();
    throw thrown;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
