import type { Statement } from '#database';
import { errorCode, MeshError } from '#kit';

import { consulOrigin } from '../serving/consul-origin.ts';
import { consulOptions } from '../serving/consul-settings.ts';
import { type Check, type Finding, ok, orElse, type Scene, skip, warn } from './check.ts';
import { withDatabase } from './databases.ts';
import { dateHeader } from './date-header.ts';

/** Differences below this come from the asking as well. */
const MAX_SKEW_MS = 1_000;

/** The Date header has whole seconds (RFC 9110, section 5.6.7). */
const DATE_RESOLUTION_MS = 999;

const readClock: Statement = { name: 'doctor.clock', text: 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now' };

/** Milliseconds since the epoch, and by how much they may be too few. */
interface Reading {
  readonly atMs: number;
  readonly withinMs: number;
}

/** A clock of this machine that is not that of the servers. */
export const clocks: Check = {
  name: 'clock',
  async run(scene, signal) {
    const asked = await Promise.all([...postgresServers(scene), ...consuls(scene, signal)].map(({ name, read }) => compare(name, read, scene)));
    const compared = asked.filter((answer) => answer !== undefined);
    if (compared.length === 0) return [skip('no server that has a clock answers')];
    const names = compared.map(({ name }) => name).join(' and ');
    return orElse(compared.flatMap(({ finding }) => finding), ok(`this machine's clock is within ${MAX_SKEW_MS / 1_000} s of that of ${names}`));
  },
};

interface Server {
  readonly name: string;
  read(): Promise<Reading>;
}

/** One of each server, however many services' databases it holds. */
function postgresServers({ settings }: Scene): Server[] {
  const byServer = new Map(Object.entries(settings.databaseUrls).flatMap(([service, url]) => (url ? [[serverOf(url), { service, url }] as const] : [])));
  return [...byServer].map(([server, { service, url }]) => ({
    name: `Postgres${server === '' || server.startsWith('%') ? '' : ` at ${server}`}`,
    read: async () => {
      const [row] = await withDatabase(url, service, (database) => database.query<{ now: number }>(readClock, []));
      return { atMs: row?.now ?? Number.NaN, withinMs: 0 };
    },
  }));
}

/** Host and port; the folder of a socket stands percent-encoded as the host. Nothing of what is no URL, for it may hold a password. */
function serverOf(url: string): string {
  return URL.parse(url)?.host ?? '';
}

function consuls({ registry, settings }: Scene, signal: AbortSignal): Server[] {
  if (registry.kind !== 'seen') return [];
  const url = `${consulOrigin(settings.values.CONSUL_HTTP_ADDR)}/v1/status/leader`;
  const read = async (): Promise<Reading> => {
    const { caPem } = await consulOptions(settings.values);
    return { atMs: await dateHeader(url, { caPem, signal }), withinMs: DATE_RESOLUTION_MS };
  };
  return [{ name: 'Consul', read }];
}

/** Undefined when it does not answer: other checks tell of that. */
async function compare(name: string, read: Server['read'], { clock }: Scene): Promise<{ name: string; finding: Finding[] } | undefined> {
  try {
    const before = clock.now();
    const reading = await read();
    if (Number.isNaN(reading.atMs)) return undefined;
    const skewMs = skew(before, clock.now(), reading);
    if (Math.abs(skewMs) <= MAX_SKEW_MS) return { name, finding: [] };
    const says = `this machine's clock is ${(Math.abs(skewMs) / 1_000).toFixed(1)} s ${skewMs > 0 ? 'ahead of' : 'behind'} that of ${name}`;
    return { name, finding: [warn(says, 'let NTP set both; leases, expiries and the order of spans in a trace go by them')] };
  } catch (thrown) {
    if (thrown instanceof MeshError || errorCode(thrown) !== undefined) return undefined;
    throw thrown;
  }
}

/** How far our clock is ahead for certain; the reading was taken at some moment between `before` and `after`. */
function skew(before: number, after: number, { atMs, withinMs }: Reading): number {
  if (before > atMs + withinMs) return before - (atMs + withinMs);
  return Math.min(0, after - atMs);
}
