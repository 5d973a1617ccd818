import { askSupervisor, type SupervisorStatus } from '../local/control-socket.ts';
import { dataFolder } from '../local/data-folder.ts';
import { loadSettings, type Resolved } from '../settings.ts';

/**
 * The settings of a command that talks to a running shop: where nothing else is said,
 * those of the shop that `mesh up` started from this folder.
 */
export async function settingsOfRunningShop(flags: Readonly<Record<string, string | undefined>> = {}): Promise<{
  readonly settings: Resolved;
  readonly supervisor: SupervisorStatus | undefined;
}> {
  const settings = await loadSettings(flags);
  const supervisor = await askSupervisor(dataFolder(settings.values.MESH_DATA_DIR).controlSocket);
  if (!supervisor) return { settings, supervisor };
  const found: Record<string, string> = {
    CONSUL_HTTP_ADDR: supervisor.consulUrl,
    MESH_JAEGER_URL: supervisor.jaegerUrl,
    OTEL_EXPORTER_OTLP_ENDPOINT: supervisor.otlpEndpoint,
  };
  const unset = Object.entries(found).filter(([name]) => settings.origins[name] === 'default');
  return { settings: await loadSettings({ ...Object.fromEntries(unset), ...flags }), supervisor };
}
