import type { DescService } from '@bufbuild/protobuf';
import { Channel, credentials } from '@grpc/grpc-js';

import { silentLog, systemClock } from '#kit';
import { type Client, createMesh, type Mesh } from '#mesh';

import { createTelemetry } from './telemetry.ts';

/** A caller that goes to one port, whatever the contract: for what every server answers. */
export interface DirectCaller extends Pick<Mesh, 'stop'> {
  client<S extends DescService>(contract: S): Client<S>;
}

export function callDirectly(port: number): DirectCaller {
  const openChannel = () => new Channel(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
  const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel });
  const tracer = createTelemetry().tracer('outside');
  return { client: (contract) => mesh.client(contract, { tracer }), stop: mesh.stop };
}
