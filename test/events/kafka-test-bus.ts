import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import type { EventBus } from '#events';
import { createKafkaBus, type KafkaBusOptions } from '#events/kafka';
import { createLog, type Log, silentLog, systemClock, systemRandom } from '#kit';

import type { OpenerModule } from './bus-conformance-support.ts';

/** This module, for members in processes of their own. */
export const opener = fileURLToPath(import.meta.url);

/** A bus with short times and few partitions. */
export function openKafkaBus(brokers: string, more: Partial<KafkaBusOptions> = {}): EventBus {
  const common = { clientId: 'test', clock: systemClock, random: systemRandom, log: silentLog };
  return createKafkaBus({ ...common, brokers: [brokers], partitions: 8, sessionTimeoutMs: 1_000, ...more });
}

export const openBus: OpenerModule['openBus'] = (brokers) => openKafkaBus(brokers);

/** A log that a test reads. */
export function collectLog(): { readonly log: Log; readonly lines: { readonly msg: string }[] } {
  const lines: { readonly msg: string }[] = [];
  const destination = new Writable({
    write(line: Buffer, _encoding, done) {
      // The log writes one line of JSON at a time.
      lines.push(JSON.parse(line.toString()) as { msg: string });
      done();
    },
  });
  return { log: createLog({ level: 'debug', destination }), lines };
}
