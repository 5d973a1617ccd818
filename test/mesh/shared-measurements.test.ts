import { Channel, credentials } from '@grpc/grpc-js';
import { expect } from 'chai';

import { silentLog, systemClock } from '#kit';
import { createMesh, type Policies } from '#mesh';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { policiesWith } from './instruments/support/policies.ts';
import { createTelemetry } from './support/telemetry.ts';

describe('two stubs of one service', () => {
  it('share what is measured of its methods: each is set up once', async () => {
    const defaults = policiesWith({});
    const asked: string[] = [];
    const policies: Policies = {
      ...defaults,
      method(service, method) {
        asked.push(method);
        return defaults.method(service, method);
      },
    };
    const openChannel = (): Channel => new Channel('127.0.0.1:1', credentials.createInsecure(), {});
    const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel, policies });
    for (const name of ['first', 'second']) mesh.client(UserService, { service: '', tracer: createTelemetry().tracer(name) });
    expect(asked).to.deep.equal(UserService.methods.map(({ name }) => name));
    await mesh.stop();
  });
});
