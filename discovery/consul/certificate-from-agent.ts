import { runBlockingLoop } from './blocking-loop.ts';
import type { CertificateParts, CertificateSource } from './certificate-parts.ts';
import type { BlockingAnswer, BlockingRead } from './query.ts';
import type { WatchSink } from './shared-watch.ts';

/**
 * Leaves and roots from the agent beside this process. The agent makes the key as well, and renews: a new leaf is a change
 * like any other. Its leaves name no host, so only clients that check the identity accept them.
 */
export function certificatesFromAgent({ consul, outage, clock, random, waitMs }: CertificateParts): CertificateSource {
  type Query<T> = (read: BlockingRead) => Promise<BlockingAnswer<T>>;

  async function follow<T>(party: string, query: Query<T>, sink: WatchSink<T>, signal: AbortSignal): Promise<void> {
    await runBlockingLoop(
      {
        clock,
        random,
        query: (index) => query({ index, waitMs, signal }),
        onAnswer: (value) => {
          outage.succeeded(party);
          sink.publish(value);
        },
        onError: (error) => {
          outage.failed(party, error);
          sink.fail(error);
        },
      },
      signal,
    );
    outage.forget(party);
  }

  return {
    keepLeaf: (service, _trust, sink, signal) => follow(`certificate of ${service}`, (read) => consul.leaf(service, read), sink, signal),
    keepTrust: (sink, signal) => follow('roots', consul.roots, sink, signal),
  };
}
