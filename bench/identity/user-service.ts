import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const MESH = join(import.meta.dirname, '..', '..', 'cli', 'mesh.js');
/** As the shop starts its own processes. */
const NODE_FLAGS = ['--max-semi-space-size=64'];
/** Longer than a service takes to end. */
const END_WITHIN_MS = 15_000;

export interface UserServiceOptions {
  /** Of the agent. */
  readonly registry: string;
  /** Of the database, which it makes and migrates. */
  readonly databaseUrl: string;
  /** An empty one, in which no shop runs. */
  readonly folder: string;
}

/** The user service in a process of its own, as `mesh serve user` starts it. */
export interface RunningUserService {
  readonly pid: number;
  /** Wants a certificate. */
  readonly port: number;
  stop(): Promise<void>;
}

export async function startUserService({ registry, databaseUrl, folder }: UserServiceOptions): Promise<RunningUserService> {
  const settings = { CONSUL_HTTP_ADDR: registry, DATABASE_URL: databaseUrl, MESH_DATA_DIR: folder, OTEL_TRACES_EXPORTER: 'none', MESH_LOG_LEVEL: 'warn' };
  const child = spawn(process.execPath, [...NODE_FLAGS, MESH, 'serve', 'user', '--port', '0', '--json'], { env: { ...process.env, ...settings }, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
    await ended;
    clearTimeout(late);
  };
  try {
    return { pid: child.pid ?? 0, port: await portOf(child), stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** It says where it serves once it does. */
async function portOf({ stdout }: ChildProcess): Promise<number> {
  if (!stdout) throw new Error('the user service has no output');
  for await (const line of createInterface({ input: stdout })) {
    const [served]: readonly { readonly mtlsPort: number }[] = JSON.parse(line);
    if (served) return served.mtlsPort;
  }
  throw new Error('the user service did not start; see what it wrote above');
}
