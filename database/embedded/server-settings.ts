/**
 * Small (57 MB with a few connections) and durable: what a commit promised is on disk.
 * The rest of Postgres's settings keep their defaults.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '200',
  shared_buffers: '32MB',
  wal_buffers: '4MB',
  max_wal_size: '256MB',
  // Workers for asynchronous I/O would be processes that wait.
  io_method: 'sync',
  max_worker_processes: '8',
  autovacuum_max_workers: '2',
  jit: 'off',
  huge_pages: 'off',
  // Lets a service's tables move to another database while it runs.
  wal_level: 'logical',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  cluster_name: 'shopmesh',
};

/**
 * Before it recovers from a crash Postgres forces what it finds to disk. Linux can do that
 * in one call: 0.15 s instead of 1 s with a busy disk.
 */
const LINUX_SETTINGS: Readonly<Record<string, string>> = { recovery_init_sync_method: 'syncfs' };

/** Arguments of `postgres`. They go before what the data folder's own files say. */
export function serverArguments(cluster: string, socketFolder: string, port: number): string[] {
  // A list of folders: quotes keep a comma or a blank in the path together.
  const folders = `"${socketFolder}"`;
  const platform = process.platform === 'linux' ? LINUX_SETTINGS : {};
  const settings = { ...SETTINGS, ...platform, unix_socket_directories: folders, port: String(port) };
  return ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
