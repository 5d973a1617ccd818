import type { BaseOptions, Consumer } from '@platformatic/kafka';

import { backoffMs, type Clock, type Random } from '#kit';

import { settlesWithin } from './settles-within.ts';

/** How the cluster is reached. */
export interface KafkaConnection {
  /** `host:port` of some brokers; they name the others. */
  readonly brokers: readonly string[];
  /** Who this is in the brokers' logs and quotas, such as `order`. */
  readonly clientId: string;
  /** Options of Node's TLS; `{}` trusts the system's authorities. Default: clear text. */
  readonly tls?: NonNullable<BaseOptions['tls']>;
  /** Default: no authentication. */
  readonly sasl?: NonNullable<BaseOptions['sasl']>;
}

const REQUEST_TIMEOUT_MS = 5_000;
/** Five attempts with 100, 200, 400 and 800 ms between them: 1.5 s where connections are refused, 27 s where none is answered. */
const RETRIES = 4;
const MAX_RETRY_DELAY_MS = 2_000;
/** How old what is known of topics and their leaders may be; a broker that no longer leads says so. */
const METADATA_MAX_AGE_MS = 30_000;
const CLOSE_WITHIN_MS = 2_000;

/** What every client of the library is given. */
export function clientOptions({ brokers, clientId, tls, sasl }: KafkaConnection, random: Random): BaseOptions {
  return {
    clientId,
    bootstrapBrokers: [...brokers],
    // With the broker's name in the handshake: brokers that share an address are told apart by it.
    ...(tls && { tls, tlsServerName: true }),
    ...(sasl && { sasl }),
    requestTimeout: REQUEST_TIMEOUT_MS,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    retries: RETRIES,
    retryDelay: (_client, _operation, attempt) => backoffMs(attempt, 100, MAX_RETRY_DELAY_MS, random),
  };
}

/** What the library's clients have in common here. */
type AnyClient = Pick<Consumer, 'connections'> & { close(): Promise<void> };

/** Closes a client in order if the brokers answer, else its sockets: the library leaves them open when it cannot say goodbye. */
export async function closeClient(client: AnyClient, clock: Clock): Promise<void> {
  if (!(await settlesWithin(client.close(), CLOSE_WITHIN_MS, clock))) await client.connections.close();
}
