/**
 * Measures everybody once in each round, each by turns first: what the machine does beside it falls upon all of them.
 * `afterRound` hears how many rounds there were, and everybody's slices so far.
 */
export async function inTurns<Contestant, Slice>(
  contestants: readonly Contestant[],
  rounds: number,
  measure: (contestant: Contestant) => Promise<Slice>,
  afterRound: (round: number, slices: ReadonlyMap<Contestant, readonly Slice[]>) => void,
): Promise<ReadonlyMap<Contestant, readonly Slice[]>> {
  const slices = new Map(contestants.map((contestant): [Contestant, Slice[]] => [contestant, []]));
  for (let round = 0; round < rounds; round += 1) {
    const first = round % contestants.length;
    for (const contestant of [...contestants.slice(first), ...contestants.slice(0, first)]) slices.get(contestant)?.push(await measure(contestant));
    afterRound(round + 1, slices);
  }
  return slices;
}
