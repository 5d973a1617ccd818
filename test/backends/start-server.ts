import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, untilReady, type ServerProcess } from './server-process.ts';

export type ServerPlan<Address> = {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly address: Address;
  readonly isReady: (server: ServerProcess) => Promise<boolean>;
};

export type StartOptions<Address> = {
  readonly name: string;
  readonly command: string;
  /** Chooses ports and writes configuration into the folder; asked again when a port was taken meanwhile. */
  readonly plan: (folder: string) => Promise<ServerPlan<Address>>;
  /** Default 30,000. */
  readonly readyWithinMs?: number;
  readonly lifetimeMs?: number | undefined;
};

export type StartedServer<Address> = {
  readonly address: Address;
  readonly folder: string;
  readonly server: () => ServerProcess;
  /** Ends it if it runs and starts it anew with the same arguments; `between` runs while it is down. */
  restart(between?: () => Promise<void>): Promise<void>;
  /** Ends it and removes its folder. May be called twice. */
  stop(): Promise<void>;
};

const attempts = 3;
const defaultReadyWithinMs = 30_000;

/** Starts a server in a temporary folder of its own and returns when it answers. */
export async function startServer<Address>(options: StartOptions<Address>): Promise<StartedServer<Address>> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), `shopmesh-${options.name}-`));
  try {
    for (let attempt = 1; ; attempt += 1) {
      const plan = await options.plan(folder);
      try {
        const server = await launch(options, plan, folder);
        return control(options, plan, folder, server);
      } catch (error) {
        if (attempt === attempts || !isPortTaken(error)) throw error;
      }
    }
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }
}

function control<Address>(
  options: StartOptions<Address>,
  plan: ServerPlan<Address>,
  folder: string,
  first: ServerProcess,
): StartedServer<Address> {
  let server = first;
  return {
    address: plan.address,
    folder,
    server: () => server,
    restart: async (between) => {
      await server.stop();
      await between?.();
      server = await launch(options, plan, folder);
    },
    stop: async () => {
      await server.stop();
      await removeFolder(folder);
    },
  };
}

async function launch<Address>(
  options: StartOptions<Address>,
  plan: ServerPlan<Address>,
  folder: string,
): Promise<ServerProcess> {
  const { name, command, lifetimeMs } = options;
  const { args, env = {} } = plan;
  const bound = lifetimeMs === undefined ? {} : { lifetimeMs };
  const server = startProcess({ name, command, args, env, folder, ...bound });
  try {
    await untilReady(name, server, () => plan.isReady(server), options.readyWithinMs ?? defaultReadyWithinMs);
    return server;
  } catch (error) {
    await server.kill();
    throw error;
  }
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && /address already in use/i.test(error.message);
}

async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
