import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

import { expect } from 'chai';

import { describeMethod } from '#mesh';
import { silentLog, systemClock } from '#kit';

import type { ServerCall } from '../../../mesh/call.ts';
import { bearerToken } from '../../../mesh/identity/bearer-token.ts';
import { addChains, createGrpcServer } from '../../../mesh/server/grpc-server.ts';
import { contract, ECHO, MESSAGE, payload } from '../door/support/echo-contract.ts';
import { frame, GREETING } from '../door/support/raw-peer.ts';
import { until } from '../../discovery/support/until.ts';

const HEADERS = 0x1;
const DATA = 0x0;
const END_HEADERS = 0x4;
const END_STREAM = 0x1;

/** A header field that is in no table (RFC 7541, 6.2.2), for names and values below 127 bytes. */
function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
}

describe('the token that a call brings', () => {
  const call = (value: string | readonly string[]): Pick<ServerCall, 'header' | 'allHeaders'> => ({
    header: () => [value].flat()[0],
    allHeaders: () => ({ authorization: value }),
  });

  it('is nobody\'s where there are several, within the process', () => {
    expect(bearerToken(call('Bearer one'))).to.equal('one');
    expect(bearerToken(call(['Bearer one', 'Bearer two']))).to.equal('');
    expect(bearerToken(call('Bearer one, Bearer two'))).to.equal('');
  });

  it('is the first where there are several on the wire', async () => {
    const tokens: (string | undefined)[] = [];
    const grpc = createGrpcServer({ clock: systemClock, log: silentLog });
    const invoke = async (each: ServerCall) => {
      tokens.push(bearerToken(each));
      const answer = payload(1);
      each.seal?.(answer);
      return answer;
    };
    addChains(grpc, new Map(contract.methods.map((desc) => [describeMethod(desc), invoke])));
    const socket: Socket = connect(await grpc.door.listen('127.0.0.1', 0), '127.0.0.1');
    try {
      await once(socket, 'connect');
      const pairs = [[':method', 'POST'], [':scheme', 'http'], [':path', ECHO], [':authority', 'x'], ['content-type', 'application/grpc'], ['te', 'trailers']];
      const twice = [['authorization', 'Bearer one'], ['authorization', 'Bearer two']];
      const block = Buffer.concat([...pairs, ...twice].map(([name = '', value = '']) => field(name, value)));
      socket.resume().write(Buffer.concat([GREETING, frame(HEADERS, END_HEADERS, 1, block), frame(DATA, END_STREAM, 1, MESSAGE)]));
      await until('it was called', () => tokens.length === 1);
      expect(tokens).to.deep.equal(['one']);
    } finally {
      socket.destroy();
      grpc.door.hurry();
      await grpc.door.close(0);
    }
  });
});
