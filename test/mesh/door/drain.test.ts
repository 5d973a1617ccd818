import { connect as connectSocket } from 'node:net';

import { expect } from 'chai';

import { until } from '../../discovery/support/until.ts';
import { useHttp2Callers } from './support/http2-caller.ts';
import { CHAT, ECHO, MESSAGE } from './support/open-door.ts';
import { useRawPeers } from './support/raw-peer.ts';
import { useDoors } from './support/use-door.ts';

describe('the close of a door', () => {
  const doors = useDoors();
  const connect = useHttp2Callers(() => doors.current.port);
  const connectRaw = useRawPeers(() => doors.current.port);

  /** Whether a promise has settled by now. */
  function watched<T>(promise: Promise<T>): { readonly promise: Promise<T>; settled(): boolean } {
    let settled = false;
    void promise.finally(() => (settled = true));
    return { promise, settled: () => settled };
  }

  it('lets calls in flight finish and takes no more connections; resolves when the last one is over', async () => {
    const { door, caller, hold, port, open } = await doors.open();
    const release = hold();
    const inFlight = caller().echo();
    await until('it has arrived', () => open.size === 1);
    const closed = watched(door.close(60_000));
    await until('nobody gets in', () => isRefused(port));
    expect(closed.settled()).to.equal(false);
    release();
    expect(await inFlight).to.equal('OK');
    await closed.promise;
    expect(door.read().connections).to.equal(0);
  });

  it('tells callers by GOAWAY, before it takes no more of their calls', async () => {
    const { door, hold, open } = await doors.open();
    const release = hold();
    const peer = connect();
    const lastCalls: number[] = [];
    peer.session.on('goaway', (_code, last) => lastCalls.push(last));
    const call = peer.begin(ECHO).end(MESSAGE).resume();
    await until('it has arrived', () => open.size === 1);
    const closed = door.close(60_000);
    await until('it was told twice', () => lastCalls.length === 2);
    expect(lastCalls).to.deep.equal([2 ** 31 - 1, call.id]);
    release();
    await closed;
  });

  it('ends streams at once, in a way that their readers may begin anew', async () => {
    const { door, caller, hold, open } = await doors.open();
    const release = hold();
    const unary = caller().echo();
    const stream = watched(caller().watch());
    await until('both have arrived', () => open.size === 2);
    const closed = watched(door.close(60_000));
    expect(await stream.promise).to.match(/^UNAVAILABLE: the service stopped before the call was through/);
    expect([closed.settled(), open.size]).to.deep.equal([false, 1]);
    release();
    expect(await unary).to.equal('OK');
    await closed.promise;
  });

  it('breaks off what is left after the grace', async () => {
    const { door, caller, hold, open } = await doors.open();
    hold();
    const inFlight = caller().echo();
    await until('it has arrived', () => open.size === 1);
    await door.close(50);
    expect(await inFlight).to.match(/^UNAVAILABLE: the service stopped before the call was through/);
  });

  it('in a hurry does not wait for the grace, nor until clients have noticed', async () => {
    const { door, caller, hold, open } = await doors.open();
    hold();
    const inFlight = caller().echo();
    await until('it has arrived', () => open.size === 1);
    const stopped = door.untilQuiet().then(() => door.close(60_000));
    door.hurry();
    expect(await inFlight).to.match(/^UNAVAILABLE/);
    await stopped;
  });

  it('is not held up by connections that are idle or silent, nor beyond its grace by requests that do not come to an end', async () => {
    const { door, caller } = await doors.open({ requestMs: Infinity, handshakeMs: Infinity });
    expect(await caller().echo()).to.equal('OK');
    const silent = await connectRaw();
    const peer = connect();
    const [halfOpen, chat] = [peer.begin(ECHO), peer.begin(CHAT)];
    chat.write(MESSAGE);
    await until('all are there', () => door.read().connections === 3 && peer.session.state.outboundQueueSize === 0);
    await door.close(50);
    await until('all are gone', () => silent.isClosed() && halfOpen.closed && chat.closed && door.read().connections === 0);
  });

  it('cuts off no call: each is answered, or was not begun', async () => {
    const first = await doors.open();
    const { port } = first;
    const client = first.caller();
    expect(await client.echo()).to.equal('OK');
    const answers = Array.from({ length: 200 }, () => client.echo());
    const closing = first.door.close(5_000);
    answers.push(...Array.from({ length: 200 }, () => client.echo()));
    await closing;
    const said = new Set(await Promise.all(answers));
    // The client has nowhere else to go.
    for (const answer of said) expect(answer).to.match(new RegExp(`^OK$|^UNAVAILABLE: No connection established|ECONNREFUSED 127.0.0.1:${port}`));
    expect(first.served()).to.equal([...(await Promise.all(answers))].filter((answer) => answer === 'OK').length + 1);
  });
});

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}
