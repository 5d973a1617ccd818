import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { Admin } from '@platformatic/kafka';

import { backendsFolder, binaryPath, type Environment } from '../../scripts/backends/folders.ts';

/** A broker of the benchmark's own. */
export interface KafkaBroker {
  /** `host:port`, as KAFKA_BROKERS takes it. */
  readonly brokers: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;
const FORMAT_WITHIN_MS = 60_000;
const ASK_WITHIN_MS = 1_000;
const SHOWN_CHARACTERS = 500;
const JAVA_OPTIONS = '-Xmx512m -Xshare:auto';
/** Any id will do: 16 bytes in base64. */
const CLUSTER_ID = 'c2hvcG1lc2gtYmVuY2gtMQ';

// Says the broker's process id. Ends it and removes its folder when standard input ends: it does when the benchmark asks for it, and when that is killed.
const SCRIPT = 'folder=$1; shift; "$@" </dev/null >"$folder/log" 2>&1 & echo $!; read -r _; kill $!; wait $!; rm -rf -- "$folder"';

/** The Kafka that `npm run backends` has installed; undefined where it has not. */
export async function locateKafka(env: Environment): Promise<string | undefined> {
  const path = binaryPath(backendsFolder(env), 'kafka');
  return access(path, constants.X_OK).then(
    () => path,
    () => undefined,
  );
}

/** One broker on free loopback ports, which is its own controller; with Kafka's own defaults, but for what only several brokers can do. */
export async function startKafkaBroker(kafka: string): Promise<KafkaBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'shopmesh-kafka-'));
  const [port, controller] = [await freePort(), await freePort()];
  const brokers = `127.0.0.1:${port}`;
  const properties = join(folder, 'server.properties');
  const env = { ...process.env, JAVA_TOOL_OPTIONS: JAVA_OPTIONS, LOG_DIR: folder };
  try {
    await writeFile(properties, propertiesOf(port, controller, folder).join('\n'));
    await promisify(execFile)(kafka, ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties], { env, timeout: FORMAT_WITHIN_MS });
  } catch (thrown) {
    await rm(folder, { recursive: true, force: true });
    throw thrown;
  }
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'broker', folder, kafka, 'kafka.Kafka', properties], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => shell.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    shell.stdin.end();
    await exited;
  };
  try {
    const pid = await readPid(shell);
    await untilReady(brokers, join(folder, 'log'));
    return { brokers, pid, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

function propertiesOf(port: number, controller: number, folder: string): string[] {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controller}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    `log.dirs=${join(folder, 'data')}`,
    'auto.create.topics.enable=false',
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    // A group does not wait for more members to come.
    'group.initial.rebalance.delay.ms=0',
  ];
}

function readPid({ stdout }: ChildProcess): Promise<number> {
  return new Promise((resolve) => stdout?.once('data', (line: Buffer) => resolve(Number(line))));
}

async function untilReady(brokers: string, log: string): Promise<void> {
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: [brokers], retries: 0, connectTimeout: ASK_WITHIN_MS, requestTimeout: ASK_WITHIN_MS });
  try {
    for (const giveUpAt = performance.now() + READY_WITHIN_MS; ; await delay(100)) {
      const known = await admin.metadata({ topics: [] }).catch(() => undefined);
      if (known && known.brokers.size > 0) return;
      if (performance.now() > giveUpAt) throw new Error(`Kafka does not answer after ${READY_WITHIN_MS / 1_000} s; it said last: ${(await readFile(log, 'utf8')).slice(-SHOWN_CHARACTERS)}`);
    }
  } finally {
    await admin.close();
  }
}

/** One that the kernel says is free. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
