import type { DescService } from '@bufbuild/protobuf';
import { Channel, credentials } from '@grpc/grpc-js';

import { silentLog, systemClock } from '#kit';
import { type Client, type ClientInterceptor, createMesh, type Mesh } from '#mesh';

import { createTelemetry } from './telemetry.ts';

/** A caller that goes to one port, whatever the contract: for what every server answers. */
export interface DirectCaller extends Pick<Mesh, 'stop'> {
  client<S extends DescService>(contract: S): Client<S>;
}

/** @param outgoing what goes into each call, such as tokens; default: nothing */
export function callDirectly(port: number, outgoing: readonly ClientInterceptor[] = []): DirectCaller {
  const openChannel = () => new Channel(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
  const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel, outgoing });
  const tracer = createTelemetry().tracer('outside');
  return { client: (contract) => mesh.client(contract, { service: '', tracer }), stop: mesh.stop };
}
