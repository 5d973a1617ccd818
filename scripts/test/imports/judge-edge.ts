import { posix } from 'node:path';
import { compositionRoot, importTable, secondEntries, type TableRow, tools } from '../import-table.ts';

/** The unit that a file belongs to: `kit`, `services/order`, `services/modules.ts`. */
export function unitOf(file: string): string {
  const [top = '', below = ''] = file.split('/');
  return top === 'services' ? posix.join(top, below) : top;
}

/** The row of a unit; undefined when the table does not know it. */
export function rowOf(unit: string): TableRow | undefined {
  return importTable.find((row) => matches(row.unit, unit));
}

export function isTool(unit: string): boolean {
  return Object.hasOwn(tools, unit);
}

/** Why the file `from` may not import the file `to` by this specifier; undefined when it may. */
export function judgeEdge(from: string, to: string, specifier: string): string | undefined {
  const importer = unitOf(from);
  const target = unitOf(to);
  if (isTool(importer)) {
    const allowed = !isTool(target) || importer === target || tools[importer]?.includes(target);
    return allowed ? undefined : `${importer}/ may not import ${target}/`;
  }
  if (isTool(target)) return `nothing of the program imports ${target}/`;
  const standIn = secondEntries.find((entry) => isInside(to, posix.dirname(entry)));
  if (standIn !== undefined && !isInside(from, posix.dirname(standIn))) return judgeStandIn(importer, to, standIn);
  if (importer === target) return undefined;
  return judgeTable(importer, target, to) ?? judgeEntry(importer, target, to, specifier);
}

function judgeStandIn(importer: string, to: string, entry: string): string | undefined {
  if (importer !== compositionRoot) return `only ${compositionRoot}/ may load the stand-in ${posix.dirname(entry)}/`;
  return to === entry ? undefined : `enter ${posix.dirname(entry)}/ by its index.ts`;
}

function judgeTable(importer: string, target: string, to: string): string | undefined {
  const row = rowOf(importer);
  if (row === undefined || !row.mayImport.some((unit) => matches(unit, target))) {
    const known = row === undefined || row.mayImport.length === 0 ? 'nothing of ours' : row.mayImport.join(', ');
    return `${importer} may not import ${target} (it may import ${known})`;
  }
  if (target !== 'proto' || row.protos === undefined) return undefined;
  const [, , contract = ''] = to.split('/');
  return row.protos.includes(contract) ? undefined : `${importer} may not import the contracts of ${contract}/`;
}

function judgeEntry(importer: string, target: string, to: string, specifier: string): string | undefined {
  // The list of modules stands beside the services: it names what lies next to it by path.
  const listed = [target, `${target}/service.ts`, `${target}/settings.ts`];
  if (importer === 'services/modules.ts' && listed.includes(to)) return undefined;
  if (specifier.startsWith('#')) return undefined;
  return `cross the border of ${target} by its #entry (package.json, imports), not by a path`;
}

function matches(pattern: string, unit: string): boolean {
  if (!pattern.endsWith('/*')) return pattern === unit;
  const head = pattern.slice(0, -1);
  // A service is a folder: services/modules.ts is not one of them.
  return unit.startsWith(head) && !unit.endsWith('.ts');
}

function isInside(file: string, folder: string): boolean {
  return file.startsWith(`${folder}/`);
}
