import type { DescService } from '@bufbuild/protobuf';
import { Channel, type ChannelOptions, credentials } from '@grpc/grpc-js';

import { systemClock } from '#kit';
import { type Client, createMesh, type Handlers, type Hosted, type Implementation, type Listening, type Mesh, type MeshOptions, serviceName } from '#mesh';

import { captureLog, type LogLine } from '../../tracing/captured-log.ts';
import { createFleetIdentities } from './fleet-identities.ts';
import { createTelemetry, type Telemetry } from './telemetry.ts';

/** How the services of a fleet reach one another: all in one mesh, directly or through bytes, or each in its own behind a port, in plaintext or with certificates. */
export type Transport = 'local' | 'fidelity' | 'remote' | 'mtls';

/** A caller's way to the stubs. */
export type Stubs = <S extends DescService>(contract: S) => Client<S>;

export interface Fleet {
  /** Hosts a service with these handlers; `stubs` are those of the service itself. Methods left out fail. */
  host<S extends DescService>(contract: S, handlers: (stubs: Stubs) => Partial<Handlers<S>>, how?: HostOptions): Promise<Listening>;
  /** The stub of a caller that is no service. */
  readonly client: Stubs;
  /** The same as another service that is in none of the processes. */
  clientOf(service: string): Stubs;
  readonly telemetry: Telemetry;
  /** What the services wrote, warnings and worse. */
  readonly log: readonly LogLine[];
  stop(): Promise<void>;
}

interface HostOptions extends Pick<Hosted<DescService>, 'instance' | 'idempotency'> {
  /** Rejects when the service is not well. Default: it always is. */
  readonly check?: () => Promise<void>;
  /** Contracts beside the main one. */
  readonly further?: readonly Implementation[];
  /** Default: a free one. */
  readonly port?: number;
}

/** What a test adds to every mesh of its fleet. */
export type FleetOptions = Pick<MeshOptions, 'interceptors' | 'limits' | 'policies' | 'guards' | 'outgoing'>;

/** Services as a monolith (`local`, `fidelity`) or as microservices over loopback (`remote`, `mtls`), with the same handlers. */
export function createFleet(transport: Transport, options: FleetOptions = {}): Fleet {
  const ports = new Map<string, number>();
  const meshes: Mesh[] = [];
  const listening: Listening[] = [];
  const telemetry = createTelemetry();
  const { log, lines } = captureLog('warn');
  const identities = transport === 'mtls' ? createFleetIdentities() : undefined;

  function openChannel(service: string, _: ChannelOptions, caller: string): Channel {
    const port = ports.get(service);
    if (identities) return identities.channel(port, service, caller);
    return new Channel(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
  }

  function openMesh(): Mesh {
    const mesh = createMesh({
      clock: systemClock,
      log,
      openChannel,
      localCalls: transport === 'fidelity' ? 'fidelity' : 'direct',
      ...options,
    });
    meshes.push(mesh);
    return mesh;
  }

  const outside = openMesh();
  const stubsOf = (mesh: Mesh, name: string): Stubs => {
    const tracer = telemetry.tracer(name);
    return (contract) => mesh.client(contract, { tracer, service: name });
  };

  return {
    async host(contract, handlers, { check = async () => undefined, further = [], port = 0, ...named } = {}) {
      const name = serviceName(contract);
      const mesh = transport === 'remote' || transport === 'mtls' ? openMesh() : outside;
      // Methods that a test leaves out are never called by it.
      const complete = handlers(stubsOf(mesh, name)) as Handlers<typeof contract>;
      const hosted = mesh.host({ contract, handlers: complete, further, ...named, tracer: telemetry.tracer(name), log, check });
      const opened = await hosted.listen('127.0.0.1', port, await identities?.listenAs(name));
      ports.set(name, opened.port);
      listening.push(opened);
      return opened;
    },
    client: stubsOf(outside, 'caller'),
    clientOf: (name) => stubsOf(outside, name),
    telemetry,
    log: lines,
    async stop() {
      await Promise.all(meshes.map((mesh) => mesh.stop()));
      await Promise.all(listening.map((opened) => opened.stop()));
    },
  };
}

/** A fleet for the tests of one `describe`, stopped after each test. */
export function useFleet(transport: Transport, options: FleetOptions = {}): () => Fleet {
  let fleet: Fleet;
  beforeEach(() => {
    fleet = createFleet(transport, options);
  });
  afterEach(() => fleet.stop());
  return () => fleet;
}
