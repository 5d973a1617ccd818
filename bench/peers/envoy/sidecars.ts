import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { sidecarConfig, type SidecarOptions } from './config.ts';

/** A pair of Envoys between a client and a server: one for each, as a mesh with sidecars has them. */
export interface Sidecars {
  /** Where the client's sidecar listens. */
  readonly port: number;
  /** CPU that they have used together, in ms; NaN where the system does not say (only Linux does). */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

export interface SidecarsOptions extends Pick<SidecarOptions, 'sinkPort' | 'sender'> {
  /** Path of the Envoy binary. */
  readonly envoy: string;
  /** Where the server listens. */
  readonly upstreamPort: number;
}

const READY_WITHIN_MS = 15_000;

/** Starts both, the server's first. */
export async function startSidecars({ envoy, upstreamPort, ...sink }: SidecarsOptions): Promise<Sidecars> {
  const server = await startEnvoy(envoy, { side: 'server', upstreamPort, ...sink });
  try {
    const client = await startEnvoy(envoy, { side: 'client', upstreamPort: server.port, ...sink });
    return {
      port: client.port,
      cpuMs: async () => (await client.cpuMs()) + (await server.cpuMs()),
      async stop() {
        await Promise.all([client.stop(), server.stop()]);
      },
    };
  } catch (thrown) {
    await server.stop();
    throw thrown;
  }
}

// Says Envoy's process id. Ends Envoy and removes its folder when standard input ends: it does when the benchmark asks for it, and when that is killed.
const SCRIPT = 'folder=$1; shift; "$@" </dev/null >&2 & echo $!; read -r _; kill $!; wait $!; rm -rf -- "$folder"';

async function startEnvoy(envoy: string, options: SidecarOptions): Promise<Sidecars> {
  const folder = await mkdtemp(join(tmpdir(), 'shopmesh-envoy-'));
  const adminFile = join(folder, 'admin-address');
  const config = JSON.stringify(sidecarConfig(options));
  // One worker: a Node process has one event loop, too. Access logs are off by default.
  const args = ['--config-yaml', config, '--admin-address-path', adminFile, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'error'];
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'sidecar', folder, envoy, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const pid = readPid(shell);
  const exited = once(shell, 'exit');
  const stop = async (): Promise<void> => {
    shell.stdin.end();
    await exited;
  };
  try {
    return { port: await listenerPort(adminFile), cpuMs: async () => cpuMsOf(await pid), stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

function readPid({ stdout }: ChildProcess): Promise<number> {
  return new Promise((resolve) => stdout?.once('data', (line: Buffer) => resolve(Number(line))));
}

/** What Linux counts CPU time in, for programs: 100 ticks a second (`USER_HZ`). */
const MS_PER_TICK = 10;

async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // proc_pid_stat(5): the name, in brackets, may hold spaces; 11 fields after it come utime and stime.
  const [, , , , , , , , , , , utime, stime] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(utime) + Number(stime)) * MS_PER_TICK;
}

/** Asks the admin interface where the listener is, once it listens. */
async function listenerPort(adminFile: string): Promise<number> {
  for (const until = performance.now() + READY_WITHIN_MS; performance.now() < until; await delay(25)) {
    const admin = (await readFile(adminFile, 'utf8').catch(() => '')).trim();
    const port = admin === '' ? undefined : await fetch(`http://${admin}/listeners?format=json`).then(readPort, () => undefined);
    if (port !== undefined) return port;
  }
  throw new Error(`Envoy does not listen after ${READY_WITHIN_MS / 1_000} s; see what it wrote above`);
}

/** The port of the only listener; undefined as long as it has none. */
async function readPort(response: Response): Promise<number | undefined> {
  // Source: Envoy administration interface, `GET /listeners?format=json`.
  const { listener_statuses: [listener] = [] } = (await response.json()) as {
    readonly listener_statuses?: readonly { readonly local_address: { readonly socket_address: { readonly port_value: number } } }[];
  };
  return listener?.local_address.socket_address.port_value;
}
