/**
 * What Postgres sees of our environment: nothing that changes its settings (`PGDATA`,
 * `LC_*`) and no secret of ours, since it may run as a user that others share. Only a
 * mark of whoever started us goes on, by which they find what we started.
 */
export function serverEnvironment(): Record<string, string> {
  const marks = Object.entries(process.env).filter(([name]) => name.startsWith('SHOPMESH_'));
  // Names that are listed have a value; the type also speaks of those that are not.
  const kept = Object.fromEntries(marks) as Record<string, string>;
  return { ...kept, PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}
