export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * One shortest cycle out of each knot of nodes that all reach one another, as the
 * nodes on the way with the first repeated at the end. No cycle: an empty list.
 */
export function findCycles(graph: Graph): string[][] {
  const inSomeCycle = new Set<string>();
  const cycles: string[][] = [];
  for (const start of graph.keys()) {
    if (inSomeCycle.has(start)) continue;
    const cycle = shortestWayBack(graph, start);
    if (cycle === undefined) continue;
    cycles.push(cycle);
    const reached = reachable(graph, start);
    for (const node of reached) if (reachable(graph, node).has(start)) inSomeCycle.add(node);
  }
  return cycles;
}

/** Breadth first, so that the shown cycle is the one with the fewest files to look at. */
function shortestWayBack(graph: Graph, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const node of queue) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) return wayTo(node, start, cameFrom);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  return undefined;
}

function wayTo(last: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [start];
  for (let node: string | undefined = last; node !== undefined && node !== start; node = cameFrom.get(node)) {
    way.unshift(node);
  }
  way.unshift(start);
  return way;
}

/** The nodes that can be reached from one, itself included. */
export function reachable(graph: Graph, start: string): Set<string> {
  const seen = new Set([start]);
  for (const node of seen) for (const next of graph.get(node) ?? []) seen.add(next);
  return seen;
}
