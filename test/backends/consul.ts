import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts, loopback } from './free-port.ts';
import { requireBackend } from './locate.ts';
import { probe } from './probe.ts';
import { startServer } from './start-server.ts';

export type ConsulOptions = {
  /** Turns ACLs on, denying by default; this token (a UUID) may do everything. */
  readonly managementToken?: string;
  /** More arguments for `consul agent`, such as `['-hcl=limits { http_max_conns_per_client = 20 }']`. */
  readonly args?: readonly string[];
  /** It is killed after this time. Default 1,800,000 (30 minutes). */
  readonly lifetimeMs?: number;
};

export type Consul = {
  /** `http://127.0.0.1:<port>`, as `CONSUL_HTTP_ADDR` takes it. */
  readonly httpAddr: string;
  /** Its gRPC port, in clear text (xDS, ConnectCAService). */
  readonly grpcAddr: string;
  /** The running process; another one after `restart()`. */
  pid(): number;
  /** Kills it (SIGKILL) and keeps its address for `restart()`: Consul is gone. */
  kill(): Promise<void>;
  /**
   * Ends it if it runs, and starts it on the same address as an agent that lost
   * everything. KV and catalog are in memory and always lost; with `keepServices`
   * the agent remembers the services registered with it, as one with a disk does.
   */
  restart(options?: { readonly keepServices?: boolean }): Promise<void>;
  stop(): Promise<void>;
};

/**
 * `consul agent -dev` on free loopback ports. It returns when Consul has a
 * leader, has registered itself and has its certificate authority; before that
 * it answers some calls with errors.
 */
export async function startConsul(options: ConsulOptions = {}): Promise<Consul> {
  const started = await startServer({
    name: 'consul',
    command: await requireBackend('consul'),
    lifetimeMs: options.lifetimeMs,
    plan: async (folder) => {
      const [http = 0, grpc = 0, server = 0, serf = 0] = await freePorts(4);
      const httpAddr = `http://${loopback}:${http}`;
      return {
        address: { httpAddr, grpcAddr: `${loopback}:${grpc}` },
        args: [
          ...agentArguments({ http, grpc, server, serf }, folder),
          ...aclArguments(options.managementToken),
          ...(options.args ?? []),
        ],
        isReady: () => isReady(httpAddr, options.managementToken),
      };
    },
  });
  return {
    ...started.address,
    pid: () => started.server().pid,
    kill: () => started.server().kill(),
    restart: (restart = {}) =>
      started.restart(async () => {
        if (restart.keepServices !== true) await rm(dataFolder(started.folder), { recursive: true, force: true });
      }),
    stop: () => started.stop(),
  };
}

function dataFolder(folder: string): string {
  return join(folder, 'data');
}

type Ports = { readonly http: number; readonly grpc: number; readonly server: number; readonly serf: number };

function agentArguments(ports: Ports, folder: string): string[] {
  return [
    'agent',
    '-dev',
    '-log-level=warn',
    `-bind=${loopback}`,
    `-client=${loopback}`,
    `-http-port=${ports.http}`,
    `-grpc-port=${ports.grpc}`,
    `-server-port=${ports.server}`,
    `-serf-lan-port=${ports.serf}`,
    '-serf-wan-port=-1',
    '-dns-port=-1',
    '-grpc-tls-port=-1',
    `-data-dir=${dataFolder(folder)}`,
    '-hcl=disable_update_check = true',
  ];
}

function aclArguments(token: string | undefined): string[] {
  if (token === undefined) return [];
  const tokens = `tokens { initial_management = "${token}" agent = "${token}" }`;
  return [`-hcl=acl { enabled = true default_policy = "deny" ${tokens} }`];
}

async function isReady(httpAddr: string, token: string | undefined): Promise<boolean> {
  const headers = token === undefined ? {} : { 'x-consul-token': token };
  const leader = await probe(`${httpAddr}/v1/status/leader`, headers);
  if (leader?.status !== 200 || !/^"[^"]/.test(leader.body)) return false;
  const [itself, roots] = await Promise.all([
    probe(`${httpAddr}/v1/catalog/service/consul`, headers),
    probe(`${httpAddr}/v1/agent/connect/ca/roots`, headers),
  ]);
  return itself?.status === 200 && itself.body.trim() !== '[]' && roots?.status === 200;
}
