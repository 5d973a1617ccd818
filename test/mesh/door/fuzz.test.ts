import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect as connectSocket, createServer } from 'node:net';

import { expect } from 'chai';
import fc from 'fast-check';

import { until } from '../../discovery/support/until.ts';
import { ECHO, MESSAGE, type OpenDoor } from './support/open-door.ts';
import { GREETING, PREFACE } from './support/raw-peer.ts';
import { useDoors } from './support/use-door.ts';

const SEED = 20_261_122;
const PEERS_AT_ONCE = 25;
/** A peer that closed its side and cannot be answered, for it opened no window, is only found out by keepalive. */
const IMPATIENT = { keepaliveMs: 250, keepaliveTimeoutMs: 250 };

describe('peers that send what no peer would', function () {
  this.timeout(20_000);
  const doors = useDoors();
  let call: Buffer;

  before(async () => {
    call = await recordCall();
  });

  /** Sends each of them on a connection of its own; a caller beside them is served all the while. */
  async function sendAll(door: OpenDoor, inputs: readonly Uint8Array[]): Promise<void> {
    const caller = door.caller();
    expect(await caller.echo()).to.equal('OK');
    for (let from = 0; from < inputs.length; from += PEERS_AT_ONCE) {
      await Promise.all([...inputs.slice(from, from + PEERS_AT_ONCE).map((bytes) => send(door.port, bytes)), caller.echo().then((said) => expect(said).to.equal('OK'))]);
    }
    await until('all are gone', () => door.door.read().connections === 1);
    expect(door.door.read().accepted).to.be.at.least(inputs.length + 1);
    // However many there were.
    expect(door.log.length).to.be.below(20);
  }

  it('harm nobody with random bytes, with and without a preface', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 400 });
    const starts = fc.constantFrom(Buffer.alloc(0), PREFACE, GREETING);
    const inputs = fc.tuple(starts, bytes).map((parts) => Buffer.concat(parts));
    await sendAll(await doors.open(IMPATIENT), fc.sample(inputs, { seed: SEED, numRuns: 200 }));
  });

  it('harm nobody with a call in which bytes are changed, left out, sent twice, or the end is missing', async () => {
    const at = fc.integer({ min: PREFACE.length, max: call.length - 1 });
    const change = fc.tuple(at, fc.integer({ min: 0, max: 255 })).map(([index, byte]) => (bytes: Buffer) => bytes.with(index % bytes.length, byte));
    const leaveOut = fc.tuple(at, fc.integer({ min: 1, max: 20 })).map(([from, count]) => (bytes: Buffer) => without(bytes, from, count));
    const twice = fc.tuple(at, fc.integer({ min: 1, max: 60 })).map(([from, count]) => (bytes: Buffer) => repeated(bytes, from, count));
    const cut = at.map((end) => (bytes: Buffer) => bytes.subarray(0, end));
    const mutations = fc.array(fc.oneof({ weight: 6, arbitrary: change }, leaveOut, twice, cut), { minLength: 1, maxLength: 4 });
    const inputs = mutations.map((steps) => steps.reduce((bytes, step) => Buffer.from(step(bytes)), call));
    await sendAll(await doors.open(IMPATIENT), fc.sample(inputs, { seed: SEED, numRuns: 400 }));
  });
});

function without(bytes: Buffer, from: number, count: number): Buffer {
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + count)]);
}

function repeated(bytes: Buffer, from: number, count: number): Buffer {
  return Buffer.concat([bytes.subarray(0, from + count), bytes.subarray(from)]);
}

function send(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, '127.0.0.1');
    // It is cut off, or not; either is fine.
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
    socket.end(bytes);
  });
}

/** What a client sends for one call, from the first byte of its connection on. */
async function recordCall(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const server = createServer((socket) => void socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => {})).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server on a TCP port has an address of this type.
  const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  session.on('error', () => {});
  const stream = session.request({ ':method': 'POST', ':path': ECHO, 'content-type': 'application/grpc', te: 'trailers' });
  stream.on('error', () => {});
  stream.end(MESSAGE);
  await until('all of it is there', () => Buffer.concat(chunks).includes(MESSAGE));
  session.destroy();
  server.close();
  return Buffer.concat(chunks);
}
