import type { BenchOptions } from '../bench.ts';
import { type Figure, judge, median } from '../figure.ts';
import { inTurns } from '../in-turns.ts';
import { issuePapers } from '../rpc/papers.ts';
import { type Program, startProgram } from '../rpc/program.ts';
import type { ConnectArgument, ConnectLoad, Way } from './connect-program.ts';
import type { Door, DoorArgument, DoorPorts } from './door-program.ts';

/** That both cores are busy, and nobody waits for one side of a handshake. */
const IN_FLIGHT = 8;

const EXTENT = {
  full: { rounds: 30, sliceMs: 500, warmUpMs: 2_000 },
  quick: { rounds: 1, sliceMs: 40, warmUpMs: 20 },
} as const;

interface Contestant {
  readonly title: string;
  readonly door: Door;
  readonly way: Way;
}

const OURS: Contestant = { title: 'ours', door: 'ours', way: 'channel' };
const GRPC_JS: Contestant = { title: 'grpc-js with the same certificates', door: 'grpc-js', way: 'channel' };
const RESUMED: Contestant = { title: 'a session offered to our door', door: 'ours', way: 'by hand, resumed' };
const UNRESUMED: Contestant = { title: 'the same client without a session', door: 'ours', way: 'by hand' };
const GRPC_JS_RESUMED: Contestant = { title: 'a session offered to grpc-js', door: 'grpc-js', way: 'by hand, resumed' };
const CONTESTANTS = [OURS, GRPC_JS, RESUMED, UNRESUMED, GRPC_JS_RESUMED];

/** Connections a second, each closed again: to our door and to grpc-js's own. Servers and clients are two processes. */
export async function measureHandshakes({ progress, quick }: BenchOptions): Promise<readonly Figure[]> {
  const { rounds, sliceMs, warmUpMs } = EXTENT[quick ? 'quick' : 'full'];
  const { folder: papers, withdraw } = await issuePapers(['user', 'order']);
  const programs: Program<unknown>[] = [];
  try {
    const doors = await startProgram<DoorPorts>('../identity/door-program', { papers } satisfies DoorArgument);
    programs.push(doors);
    const client = await startProgram<unknown>('../identity/connect-program', { papers, ports: doors.ready } satisfies ConnectArgument);
    programs.unshift(client);
    const measure = ({ door, way }: Contestant, ms: number): Promise<number> => client.ask('measure', { door, way, ms, inFlight: IN_FLIGHT } satisfies ConnectLoad);
    progress(`handshakes: warming up, ${warmUpMs / 1_000} s each`);
    for (const contestant of CONTESTANTS) await measure(contestant, warmUpMs);
    const slices = await inTurns<Contestant, number>(
      CONTESTANTS,
      rounds,
      (contestant) => measure(contestant, sliceMs),
      (round, sofar) => {
        if (round % 5 === 0) progress(`round ${round} of ${rounds}: ${CONTESTANTS.map((each) => `${each.title} ${sofar.get(each)?.at(-1)?.toFixed(0)}/s`).join('; ')}`);
      },
    );
    return figuresOf((contestant) => median(slices.get(contestant) ?? []));
  } finally {
    for (const program of programs) await program.stop();
    await withdraw();
  }
}

function figuresOf(rateOf: (contestant: Contestant) => number): Figure[] {
  const beside = (figure: string, contestant: Contestant, peer: Contestant): Figure =>
    judge({ figure, value: rateOf(contestant), unit: 'connections/s', peer: { name: peer.title, value: rateOf(peer) } });
  return [
    beside('identity.handshakes_full', OURS, GRPC_JS),
    beside('identity.handshakes_resumed (a client that offers a session; ours offer none)', RESUMED, GRPC_JS_RESUMED),
    beside('identity.handshakes_resumed_vs_full (such a client)', RESUMED, UNRESUMED),
  ];
}
