import { randomBytes } from 'node:crypto';

import { trace } from '@opentelemetry/api';
import { Channel } from '@grpc/grpc-js';

import { connectConsul, discoveryChannelOptions } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';
import { createMesh, meshCredentials, trustOptions } from '#mesh';
import { AccountService } from '#proto/shop/user/v1/account_pb.js';

import { argon2id } from '../../services/user/accounts/argon2id.ts';
import { HASH_COST } from '../../services/user/accounts/password-hash.ts';
import { type Load, measureLoad, type Slice } from '../orders/load.ts';
import { answerParent } from '../rpc/parent.ts';
import { createStaticControlPlane, instanceAt } from '../rpc/static-control-plane.ts';
import { emailOf, PASSWORD } from './made-up-accounts.ts';

/** What the program is told. */
export interface SignInArgument {
  readonly registry: string;
  readonly port: number;
  readonly accounts: number;
}

/** A busy machine may be slower than the contract's 5 s. */
const DEADLINE_MS = 30_000;
/** The edge, through which people sign in: the one whose word on their addresses counts. */
const EDGE = 'gateway';
const { registry, port, accounts: count }: SignInArgument = JSON.parse(process.argv[2] ?? '{}');

const { certificates } = await connectConsul({ address: registry, clock: systemClock, random: systemRandom, log: silentLog });
const identity = await certificates.identity(EDGE);
const instances = createStaticControlPlane();
instances.setInstances('user', [instanceAt('user', '127.0.0.1', port)]);
const mesh = createMesh({
  clock: systemClock,
  log: silentLog,
  openChannel: (service, options) =>
    new Channel(`consul:///${service}`, meshCredentials(identity, service), { ...options, ...discoveryChannelOptions(instances), ...trustOptions(identity) }),
});
const accounts = mesh.client(AccountService, { service: EDGE, tracer: trace.getTracer('none') });

let next = 0;

/** Each from an address of its own, and each in its turn: nobody is to meet a limit. */
async function signIn(): Promise<void> {
  next = (next + 1) % count;
  const headers = { 'mesh-client-address': `10.0.${next >> 8}.${next & 255}` };
  const { tokens } = await accounts.signIn({ email: emailOf(next), password: PASSWORD }, { headers, deadlineMs: DEADLINE_MS });
  if (!tokens?.accessToken) throw new Error('somebody signed in without a token');
}

/** What a sign-in cannot do without. */
async function hash(): Promise<void> {
  await argon2id({ password: PASSWORD, salt: randomBytes(16), cost: HASH_COST, tagBytes: 32 });
}

async function measure(what: () => Promise<void>, load: Load): Promise<Slice> {
  const slice = await measureLoad(what, load);
  if (slice.failed > 0) throw new Error(`${slice.failed} of ${slice.orders} failed: this is no measurement; the last one said: ${slice.failure}`);
  return slice;
}

answerParent({}, { signIns: (load: Load) => measure(signIn, load), hashes: (load: Load) => measure(hash, load) });
