import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';

import { connectConsul } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';

import { freePorts } from '../backends/free-port.ts';
import { requireBackend } from '../backends/locate.ts';
import { startServer } from '../backends/start-server.ts';
import { projectRoot } from './compose-file.ts';

/** A Consul that was set up by the commands of docs/security.md, each as it stands there. */
export interface ProductionConsul {
  readonly httpAddr: string;
  readonly grpcAddr: string;
  readonly caPem: string;
  /** Where the commands ran: `tokens/order` and its like are there. */
  readonly folder: string;
  /** More commands, as in the shell of the steps. */
  run(script: string): Promise<void>;
  /** What a GET answers, as JSON, with the rights of the first token. */
  get<T>(path: string): Promise<T>;
  stop(): Promise<void>;
}

/** The blocks of commands of a page's section, in their order; of the whole page where no section is named. */
export async function commandsOf(path: string, section = ''): Promise<readonly string[]> {
  const page = await readFile(join(projectRoot, path), 'utf8');
  const [, text = ''] = page.split(`\n## ${section}`, 2);
  const said = section === '' ? page : text.split('\n## ')[0] ?? '';
  return [...said.matchAll(/```sh\n([^]*?)```/g)].map(([, script = '']) => script);
}

export async function startProductionConsul(): Promise<ProductionConsul> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'shopmesh-production-'));
  const stops = [() => rm(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const next of stops.splice(0)) await next();
  };
  try {
    const ports = await choosePorts();
    const sandbox = await openSandbox(folder, ports);
    const [certificates = '', ...afterStart] = await commandsOf('docs/security.md', 'On a production Consul');
    await sandbox.run(certificates);
    await writeFile(join(folder, 'etc/zz-test.hcl'), overrides(folder, ports));
    const caPem = await readFile(join(folder, 'consul-agent-ca.pem'), 'utf8');
    const httpAddr = `https://localhost:${ports.https}`;
    const consul = await launch(folder, { httpAddr, caPem });
    stops.unshift(consul.stop);
    await sandbox.run(afterStart.join('\n'));
    const environment = afterStart.join('\n').match(/^(?:export|secret).*$/gm)?.join('\n') ?? '';
    const run = (script: string): Promise<void> => sandbox.run(`${environment}\n${script}`);
    const token = (await readFile(join(folder, 'bootstrap-token'), 'utf8')).trim();
    return { httpAddr, grpcAddr: `https://localhost:${ports.grpc}`, caPem, folder, run, get: (path) => getJson(httpAddr + path, caPem, token), stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

type Ports = Readonly<Record<'https' | 'grpc' | 'server' | 'serf', number>>;

async function choosePorts(): Promise<Ports> {
  const [https = 0, grpc = 0, server = 0, serf = 0] = await freePorts(4);
  return { https, grpc, server, serf };
}

/** One server on loopback, in this folder; everything else is as in the files. */
function overrides(folder: string, { https, grpc, server, serf }: Ports): string {
  return `
    data_dir = "${folder}/data"
    bootstrap_expect = 1
    bind_addr = "127.0.0.1"
    addresses { grpc_tls = "127.0.0.1" }
    ports { https = ${https}, grpc_tls = ${grpc}, server = ${server}, serf_lan = ${serf}, serf_wan = -1, dns = -1 }
    performance { raft_multiplier = 1 }
    tls { defaults { ca_file = "${folder}/etc/consul-agent-ca.pem", cert_file = "${folder}/etc/agent.pem", key_file = "${folder}/etc/agent-key.pem" } }`;
}

async function launch(folder: string, { httpAddr, caPem }: Pick<ProductionConsul, 'httpAddr' | 'caPem'>): Promise<{ stop(): Promise<void> }> {
  return startServer({
    name: 'consul',
    command: await requireBackend('consul'),
    plan: async () => ({
      address: {},
      args: ['agent', `-config-dir=${folder}/etc`, `-node=${hostname()}`],
      // The last thing that a new leader does.
      isReady: async (process) => process.output().includes('initialized primary datacenter CA') && (await answers(httpAddr, caPem)),
    }),
  });
}

/** A folder in which the commands find what they expect: the checkout, a `consul`, and `/etc/consul.d`, which is `etc` here. */
async function openSandbox(folder: string, { https, grpc }: Ports): Promise<{ run(script: string): Promise<void> }> {
  await mkdir(join(folder, 'etc'));
  await mkdir(join(folder, 'bin'));
  for (const part of ['deploy', 'proto']) await symlink(join(projectRoot, part), join(folder, part));
  for (const program of ['consul', 'grpcurl'] as const) await symlink(await requireBackend(program), join(folder, 'bin', program));
  const env = { PATH: [join(folder, 'bin'), dirname(process.execPath), process.env['PATH'] ?? ''].join(':'), HOME: folder };
  return {
    run: async (script) => {
      const here = script.replaceAll('/etc/consul.d', join(folder, 'etc')).replaceAll('localhost:8501', `localhost:${https}`).replaceAll('localhost:8503', `localhost:${grpc}`);
      await promisify(execFile)('sh', ['-euc', here], { cwd: folder, env, timeout: 30_000 });
    },
  };
}

async function getJson<T>(url: string, ca: string, token: string): Promise<T> {
  const call = get(url, { ca, agent: false, timeout: 5_000, headers: { 'x-consul-token': token } });
  // The first argument of the event, as documented.
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  // The test names the shape that it expects.
  return (await json(answer)) as T;
}

async function answers(address: string, caPem: string): Promise<boolean> {
  try {
    const plane = await connectConsul({ address, caPem, clock: systemClock, random: systemRandom, log: silentLog });
    await plane.stop();
    return true;
  } catch {
    return false;
  }
}
