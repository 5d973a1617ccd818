import type { Row } from '../row.ts';
import { controlPlane } from './control-plane.ts';
import { failingInstance } from './failing-instance.ts';
import { hostilePeers } from './hostile-peers.ts';
import { kill } from './kill.ts';
import { leaks } from './leaks.ts';
import { oneLayer } from './one-layer.ts';
import { overload } from './overload.ts';
import { partition } from './partition.ts';
import { rollingRestart } from './rolling-restart.ts';
import { slowInstance } from './slow-instance.ts';
import { stall } from './stall.ts';

/** Every fault, in the order of the table in docs/mesh.md. */
export const ROWS: readonly Row[] = [
  ...[rollingRestart, kill, slowInstance, failingInstance, stall, overload],
  ...[oneLayer, controlPlane, partition, hostilePeers, leaks],
];

/** Those named, with commas between; all of them for an empty text. */
export function rowsNamed(names: string): readonly Row[] {
  if (names === '') return ROWS;
  return names.split(',').map((name) => {
    const row = ROWS.find((one) => one.name === name);
    if (!row) throw new Error(`there is no row ${name}; there are: ${ROWS.map((one) => one.name).join(', ')}`);
    return row;
  });
}
