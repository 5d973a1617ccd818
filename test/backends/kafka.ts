import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Admin } from '@platformatic/kafka';
import { freePorts, loopback } from './free-port.ts';
import { requireBackend } from './locate.ts';
import { startServer } from './start-server.ts';

export type Kafka = {
  /** `127.0.0.1:<port>`, as `KAFKA_BROKERS` takes it. */
  readonly brokers: string;
  pid(): number;
  /** Kills it (SIGKILL) and keeps its address and data for `restart()`. */
  kill(): Promise<void>;
  /** Ends it in order if it runs, and starts it on the same address and data. After a kill it is there in about five seconds. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

export type KafkaOptions = {
  /** More lines of server.properties, such as `message.max.bytes=100000`. */
  readonly properties?: readonly string[];
  readonly lifetimeMs?: number;
};

// Small, and quick to start rather than fast when it has run for long.
const javaOptions = { JAVA_TOOL_OPTIONS: '-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto' };
// Three seconds of CPU, which are long ones beside other tests.
const readyWithinMs = 60_000;
const formatWithinMs = 60_000;
const askWithinMs = 1_000;
// Any id will do: 16 bytes in base64.
const clusterId = 'c2hvcG1lc2gtdGVzdHMtMQ';

/** One Kafka broker, which is its own controller (KRaft), on free loopback ports. It returns when it answers clients. */
export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const command = await requireBackend('kafka');
  const started = await startServer({
    name: 'kafka',
    command,
    readyWithinMs,
    lifetimeMs: options.lifetimeMs,
    plan: async (folder) => {
      const [client = 0, controller = 0] = await freePorts(2);
      const file = join(folder, 'server.properties');
      await writeFile(file, [...describeBroker(client, controller, folder), ...(options.properties ?? [])].join('\n'));
      const format = ['kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', clusterId, '-c', file];
      await promisify(execFile)(command, format, { env: { ...process.env, ...javaOptions }, timeout: formatWithinMs });
      const brokers = `${loopback}:${client}`;
      return { address: { brokers }, args: ['kafka.Kafka', file], env: javaOptions, isReady: () => isReady(brokers) };
    },
  });
  return {
    ...started.address,
    pid: () => started.server().pid,
    kill: () => started.server().kill(),
    restart: () => started.restart(),
    stop: () => started.stop(),
  };
}

function describeBroker(client: number, controller: number, folder: string): string[] {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@${loopback}:${controller}`,
    `listeners=PLAINTEXT://${loopback}:${client},CONTROLLER://${loopback}:${controller}`,
    `advertised.listeners=PLAINTEXT://${loopback}:${client}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    `log.dirs=${join(folder, 'data')}`,
    'auto.create.topics.enable=false',
    // Alone, it keeps no copies.
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    // Its topic of offsets has 50 partitions otherwise, each with files to open at the start.
    'offsets.topic.num.partitions=1',
    'transaction.state.log.num.partitions=1',
    // A group does not wait for more members to come.
    'group.initial.rebalance.delay.ms=0',
    'group.min.session.timeout.ms=500',
    // After a kill it waits until its controller has forgotten the one that was killed.
    'broker.session.timeout.ms=2000',
    'broker.heartbeat.interval.ms=500',
  ];
}

async function isReady(brokers: string): Promise<boolean> {
  const admin = new Admin({ clientId: 'ready', bootstrapBrokers: [brokers], retries: 0, connectTimeout: askWithinMs, requestTimeout: askWithinMs });
  try {
    const { brokers: known } = await admin.metadata({ topics: [] });
    return known.size > 0;
  } catch {
    return false;
  } finally {
    await admin.close();
  }
}
