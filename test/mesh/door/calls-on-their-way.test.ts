import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';

import { expect } from 'chai';

import { type Clock, systemClock } from '#kit';

import { until } from '../../discovery/support/until.ts';
import { useHttp2Callers } from './support/http2-caller.ts';
import { ECHO, MESSAGE, WATCH } from './support/open-door.ts';
import { useDoors } from './support/use-door.ts';

const MB = 1024 * 1024;

/** A clock on which all that a stop waits for is over at once, but for its grace. */
function createShortClock(): { readonly clock: Clock; looks(): number } {
  let looks = 0;
  return {
    clock: {
      now: systemClock.now,
      sleep(ms, signal) {
        looks += 1;
        return systemClock.sleep(ms <= 500 ? 1 : ms, signal);
      },
    },
    looks: () => looks,
  };
}

/** The status that a call ends with, and how much it was answered. */
async function endOf(call: ClientHttp2Stream): Promise<{ readonly status: string | undefined; readonly bytes: number }> {
  let status: string | undefined;
  let bytes = 0;
  const read = (headers: IncomingHttpHeaders): void => void (status = headers['grpc-status']?.toString() ?? status);
  call.on('response', read).on('trailers', read).on('data', (chunk: Buffer) => (bytes += chunk.length));
  await new Promise<void>((resolve) => void call.once('close', resolve));
  return { status, bytes };
}

describe('a door that closes', () => {
  const doors = useDoors();
  const connect = useHttp2Callers(() => doors.current.port);

  /** Begins to close, and waits until that would be over if it waited for nothing. */
  async function close(looks: () => number, graceMs = 60_000): Promise<{ readonly closed: Promise<void> }> {
    const closed = doors.current.door.close(graceMs);
    const before = looks();
    await until('it has waited for a while', () => looks() > before + 10);
    return { closed };
  }

  it('waits for a request that is still arriving', async () => {
    const { clock, looks } = createShortClock();
    const { open } = await doors.open({}, clock);
    const call = connect().begin(ECHO);
    call.write(MESSAGE.subarray(0, 7));
    await until('it has begun', () => open.size === 1);
    const { closed } = await close(looks);
    const end = endOf(call);
    call.end(MESSAGE.subarray(7));
    expect((await end).status).to.equal('0');
    await closed;
  });

  it('waits for an answer that is read slowly', async () => {
    const { clock, looks } = createShortClock();
    const { answerWith, served } = await doors.open({}, clock);
    answerWith(2 * MB);
    const call = connect().begin(ECHO).end(MESSAGE);
    await until('it is answered', () => served() === 1);
    const { closed } = await close(looks);
    const end = await endOf(call);
    expect(end.status).to.equal('0');
    expect(end.bytes).to.be.above(2 * MB);
    await closed;
  });

  it('tells a caller whose request has not arrived within the grace', async () => {
    const { open } = await doors.open();
    const call = connect().begin(ECHO);
    call.write(MESSAGE.subarray(0, 7));
    await until('it has begun', () => open.size === 1);
    const end = endOf(call);
    await doors.current.door.close(20);
    expect([(await end).status, doors.current.served()]).to.deep.equal(['14', 0]);
  });

  it('ends a stream too whose request has not arrived, also when its caller leaves it open', async () => {
    const { open } = await doors.open();
    const call = connect().begin(WATCH);
    await until('it has begun', () => open.size === 1);
    const end = endOf(call);
    await doors.current.door.close(60_000);
    expect((await end).status).to.equal('14');
  });

  it('does not wait for the reader of a stream who does not read', async () => {
    const { open } = await doors.open();
    const call = connect({ initialWindowSize: 0 }).begin(WATCH).end(MESSAGE);
    await until('it has begun', () => open.size === 1);
    await doors.current.door.close(60_000);
    await until('it is over', () => call.closed);
    expect(open.size).to.equal(0);
  });
});
