import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { systemClock } from '#kit';
import { describeMethod } from '#mesh';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { OpenCalls } from '../../mesh/server/open-calls.ts';
import { createWireMethods } from '../../mesh/server/wire-methods.ts';
import { createPlainClient, serviceErrorOf } from './support/plain-client.ts';

describe('the methods of a server', () => {
  it('are not served to a call that no door has said who makes it', async () => {
    const methods = createWireMethods({ open: new OpenCalls(), clock: systemClock });
    const method = describeMethod(UserService.method.getUser);
    let served = 0;
    const invoke = async (): Promise<never> => {
      served += 1;
      throw new Error('it was served');
    };
    const server = new Server({ interceptors: methods.interceptors });
    methods.add(server, new Map([[method, invoke]]));
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
    );
    const client = createPlainClient(port);
    try {
      const error = await serviceErrorOf(client.unary(method.path, new Uint8Array()));
      expect([error.code, served]).to.deep.equal([status.INTERNAL, 0]);
      expect(error.details).to.contain('past the door');
    } finally {
      client.close();
      server.forceShutdown();
    }
  });
});
