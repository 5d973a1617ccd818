import type { BenchOptions } from '../bench.ts';
import { type Figure, judge, median } from '../figure.ts';
import { startProgram } from '../rpc/program.ts';
import type { TokenArgument, TokensTook } from './token-program.ts';

const EXTENT = {
  full: { rounds: 30, tokens: 2_000, warmUps: 3 },
  quick: { rounds: 1, tokens: 100, warmUps: 1 },
} as const;

/** What a call that brings an access token waits for: the signature of one that is new here, or a look at what was read before. */
export async function measureTokens({ progress, quick }: BenchOptions): Promise<readonly Figure[]> {
  const { rounds, tokens, warmUps } = EXTENT[quick ? 'quick' : 'full'];
  const program = await startProgram<unknown>('../identity/token-program', { tokens } satisfies TokenArgument);
  const took: TokensTook[] = [];
  try {
    progress('tokens: warming up');
    for (let done = 0; done < warmUps; done += 1) await program.ask('measure');
    while (took.length < rounds) {
      took.push(await program.ask('measure'));
      if (took.length % 5 === 0) progress(`tokens: round ${took.length} of ${rounds}`);
    }
  } finally {
    await program.stop();
  }
  const of = (pick: (one: TokensTook) => number): number => median(took.map(pick));
  const jose = { name: 'jose alone', value: of(({ joseUs }) => joseUs) };
  return [
    judge({ figure: 'identity.token_check (seen before)', value: of(({ seenUs }) => seenUs), unit: 'us' }),
    judge({ figure: 'identity.token_check (not seen before)', value: of(({ unseenUs }) => unseenUs), unit: 'us', peer: jose }),
  ];
}
